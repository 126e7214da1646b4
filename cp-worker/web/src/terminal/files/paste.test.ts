// What the same clipboard means: text, a file, or a picture without a name.

import { expect, it } from "vitest";
import { takePaste } from "./paste";

const NOW = new Date(2026, 0, 2, 3, 4, 5);
const data = (text: string, ...files: [name: string, type: string][]) => ({
  files: files.map(([name, type]) => new File(["x"], name, { type })),
  getData: (type: string) => (type === "text/plain" ? text : ""),
});
const names = (it: ReturnType<typeof data>) => takePaste(it, NOW).files.map(({ name }) => name);

it("is text where there is nothing else", () => {
  expect(takePaste(data("a\nb"), NOW)).toEqual({ text: "a\nb", files: [] });
  expect(takePaste(null)).toEqual({ text: "", files: [] });
});

it("is a picture, named by the time, where there is no text", () => {
  expect(names(data("", ["image.png", "image/png"]))).toEqual(["pasted-2026-01-02-030405.png"]);
});

it("is text where the picture only shows it", () => {
  expect(names(data("1\t2", ["image.png", "image/png"]))).toEqual([]);
});

it("is a file where the text is its name", () => {
  const copied = data("a.pdf\nb.txt", ["a.pdf", "application/pdf"], ["b.txt", "text/plain"]);
  expect(names(copied)).toEqual(["a.pdf", "b.txt"]);
});
