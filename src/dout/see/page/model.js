// A page on its own has no Python behind it. This stands in for the model that notebooks give.

export function stillModel(values) {
  const kept = { ...values };
  const listeners = new Map();
  return {
    get: (name) => kept[name],
    set(name, value) {
      kept[name] = value;
      for (const f of listeners.get(`change:${name}`) ?? []) f();
    },
    on(event, f) {
      listeners.set(event, [...(listeners.get(event) ?? []), f]);
    },
    off(event, f) {
      listeners.set(event, (listeners.get(event) ?? []).filter((g) => g !== f));
    },
    save_changes() {},
  };
}
