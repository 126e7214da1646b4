import { expect, test } from "vitest";
import { DEFAULTS, PreferenceStore, type TextStore } from "./preferences";

function memory(start: Record<string, string> = {}) {
  const texts = new Map(Object.entries(start));
  const store: TextStore = {
    getItem: (key) => texts.get(key) ?? null,
    setItem: (key, text) => void texts.set(key, text),
    removeItem: (key) => void texts.delete(key),
  };
  return { texts, store };
}

const KEY = "chatcode.preferences";

test("what is chosen is there again", () => {
  const { store } = memory();
  new PreferenceStore(store).set({ theme: "dark", fontSize: 18 });
  const again = new PreferenceStore(store).get();
  expect(again).toEqual({ ...DEFAULTS, theme: "dark", fontSize: 18 });
});

test("one bad field spoils no other, and no text spoils all", () => {
  const bad = JSON.stringify({ theme: "pink", fontSize: 1e9, copyOnSelect: true });
  expect(new PreferenceStore(memory({ [KEY]: bad }).store).get()).toEqual({
    ...DEFAULTS,
    copyOnSelect: true,
  });
  for (const text of ["", "{", "null", "[1]", "7", '"x"', '{"fontSize":"14"}']) {
    expect(new PreferenceStore(memory({ [KEY]: text }).store).get()).toEqual(DEFAULTS);
  }
});

test("what a later version has written is kept", () => {
  const later = JSON.stringify({ version: 9, theme: "light", wallpaper: "moss" });
  const { texts, store } = memory({ [KEY]: later });
  new PreferenceStore(store).set({ copyOnSelect: true });
  expect(JSON.parse(texts.get(KEY) ?? "")).toMatchObject({
    theme: "light",
    wallpaper: "moss",
    copyOnSelect: true,
  });
});

test("a bad change changes nothing", () => {
  const store = new PreferenceStore(memory().store);
  store.set({ fontSize: Number.NaN, terminalTheme: "" });
  expect(store.get()).toEqual(DEFAULTS);
});

test("the theme moves from its old place", () => {
  const { texts, store } = memory({ "chatcode.theme": "dark" });
  const preferences = new PreferenceStore(store);
  expect(preferences.get().theme).toBe("dark");
  preferences.set({ theme: "light" });
  expect(texts.has("chatcode.theme")).toBe(false);
  expect(new PreferenceStore(store).get().theme).toBe("light");
});

test("listeners hear of changes, also of another tab", () => {
  const { store } = memory();
  const [one, other] = [new PreferenceStore(store), new PreferenceStore(store)];
  let heard = 0;
  const stop = one.subscribe(() => (heard += 1));
  const before = one.get();
  expect(one.get()).toBe(before);
  one.set({ theme: "dark" });
  other.set({ theme: "light" });
  one.reload("something.else");
  expect([heard, one.get().theme]).toEqual([1, "dark"]);
  one.reload(KEY);
  expect([heard, one.get().theme]).toEqual([2, "light"]);
  stop();
  one.set({ theme: "system" });
  expect(heard).toBe(2);
});

test("without a store choices hold while the page does", () => {
  const refuse = (): never => {
    throw new Error("not allowed");
  };
  for (const texts of [null, { getItem: refuse, setItem: refuse, removeItem: refuse }]) {
    const store = new PreferenceStore(texts);
    store.set({ theme: "dark" });
    expect(store.get().theme).toBe("dark");
  }
});
