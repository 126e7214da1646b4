import { expect, test } from "vitest";
import { piecesOf } from "./links";

test("addresses are told from the words around them", () => {
  const text = "Sign in: http://127.0.0.1:8787/sign-in/confirm#token=a_b-c. Or not (https://a.b).";
  const pieces = piecesOf(text);
  expect(pieces.filter(({ address }) => address).map((piece) => piece.text)).toEqual([
    "http://127.0.0.1:8787/sign-in/confirm#token=a_b-c",
    "https://a.b",
  ]);
  expect(pieces.map((piece) => piece.text).join("")).toBe(text);
});

test("no other scheme is an address", () => {
  expect(piecesOf("javascript:alert(1) ftp://x")).toEqual([
    { text: "javascript:alert(1) ftp://x", address: false },
  ]);
  expect(piecesOf("")).toEqual([]);
});
