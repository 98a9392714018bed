// The page of `dout see --serve`: the same module as everywhere, with a model that asks the app to compute.

import view from "./module.js";

// What notebooks give, over fetch. One request at a time: while Python computes, only the latest numbers wait.
function remoteModel(state, gone) {
  const kept = { ...state, alone: true };
  const listeners = new Map();
  let changed = {};
  let busy = false;

  function take(answer) {
    for (const [name, value] of Object.entries(answer)) {
      if (name === "inputs" && Object.keys(changed).length > 0) continue; // newer ones are on their way
      if (name !== "description" && JSON.stringify(kept[name]) === JSON.stringify(value)) continue;
      kept[name] = value;
      for (const f of listeners.get(`change:${name}`) ?? []) f();
    }
  }

  async function send() {
    if (busy || Object.keys(changed).length === 0) return;
    busy = true;
    const body = JSON.stringify(changed);
    changed = {};
    try {
      const answer = await fetch("inputs", { method: "POST", headers: { "Content-Type": "application/json" }, body });
      take(await answer.json());
    } catch {
      take({ error: gone });
    }
    busy = false;
    send();
  }

  return {
    get: (name) => kept[name],
    set(name, value) {
      if (name === "inputs") {
        for (const [key, number] of Object.entries(value)) if (kept.inputs[key] !== number) changed[key] = number;
      }
      kept[name] = value;
      for (const f of listeners.get(`change:${name}`) ?? []) f();
    },
    on(event, f) {
      listeners.set(event, [...(listeners.get(event) ?? []), f]);
    },
    off(event, f) {
      listeners.set(event, (listeners.get(event) ?? []).filter((g) => g !== f));
    },
    save_changes: send,
    async refresh() {
      if (busy) return; // the answer will say it
      try {
        take(await (await fetch("state")).json());
      } catch {
        take({ error: gone });
      }
    },
  };
}

const state = await (await fetch("state")).json();
const lang = state.description.lang ?? navigator.language;
const gone = state.words[lang.startsWith("zh") ? "zh" : "en"];
const model = remoteModel(state, gone);
document.title = state.description.title;
view.render({ model, el: document.getElementById("dout") });

const events = new EventSource("events");
events.onmessage = (event) => {
  if (Number(event.data) > model.get("version")) model.refresh();
};
events.onopen = () => model.refresh(); // what was missed
events.onerror = () => model.set("error", gone); // it tries again by itself
