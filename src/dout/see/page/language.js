// Every sentence comes from one catalogue.

import WORDS from "./words.json" with { type: "json" };

export const LANGUAGES = { en: "English", zh: "中文" };

// The language asked for, else the browser's, else English.
export function languageOf(asked, browser = globalThis.navigator?.languages ?? []) {
  for (const tag of [asked, ...browser]) {
    const short = String(tag ?? "").toLowerCase().split("-")[0];
    if (short in WORDS) return short;
  }
  return "en";
}

// The pieces of a sentence: its own words and, where the braces were, what was given for them.
export function pieces(lang, key, values = {}) {
  const text = WORDS[lang]?.[key] ?? WORDS.en[key] ?? key;
  return text.split(/(\{\w+\})/).filter((part) => part !== "").map((part) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    return name !== undefined && name in values ? values[name] : part;
  });
}

// `say(key, values)` is a sentence, `say.pieces` one whose parts may look different.
export function speaker(lang) {
  const say = (key, values) => pieces(lang, key, values).join("");
  say.lang = lang;
  say.pieces = (key, values) => pieces(lang, key, values);
  say.knows = (key) => key in WORDS.en;
  return say;
}
