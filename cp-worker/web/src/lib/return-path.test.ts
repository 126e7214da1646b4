import { expect, test } from "vitest";
import { keptPath, safePath, signInPath } from "./return-path";

test("our own pages are returned to", () => {
  for (const path of [
    "/",
    "/settings",
    "/servers/gw-1/sessions/7",
    "/settings?cloud=connected#x",
  ]) {
    expect(safePath(path)).toBe(path);
  }
});

test("nothing else is", () => {
  for (const path of [
    null,
    "",
    "settings",
    "//evil.example",
    "/\\evil.example",
    "/\t/evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "/sign-in",
    "/sign-in/confirm#token=x",
    "/x/../sign-in",
    "/api/auth/github",
    "/gateway/gw-1",
    `/${"x".repeat(600)}`,
  ]) {
    expect(safePath(path), String(path)).toBe("/");
  }
});

test("the sign-in page is told where to lead", () => {
  expect(signInPath("/")).toBe("/sign-in");
  expect(signInPath("/servers/a?b=c")).toBe("/sign-in?next=%2Fservers%2Fa%3Fb%3Dc");
});

test("what was kept is taken while it is fresh and whole", () => {
  const text = JSON.stringify({ path: "/settings", at: 1_000 });
  expect(keptPath(text, 3_000_000)).toBe("/settings");
  expect(keptPath(text, 4_000_000)).toBe("/");
  for (const bad of ["", "null", "{}", '{"path":7,"at":1}', '{"path":"//x","at":1000}']) {
    expect(keptPath(bad, 1_000)).toBe("/");
  }
});
