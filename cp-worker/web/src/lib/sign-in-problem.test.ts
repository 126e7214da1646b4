import { expect, test } from "vitest";
import { signInProblem } from "./sign-in-problem";

test("every code has a sentence, and foreign text is never shown", () => {
  expect(signInProblem(null)).toBeNull();
  expect(signInProblem("")).toBeNull();
  expect(signInProblem("unverified_email")).toContain("not confirmed");
  for (const foreign of ["call 555", "<b>", "__proto__", "constructor", "internal"]) {
    expect(signInProblem(foreign)).toBe(
      "Signing in did not work. Try again, or use a link by email.",
    );
  }
});
