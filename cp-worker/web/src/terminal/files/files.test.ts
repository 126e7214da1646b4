// Names and paths: what a shell makes of them, and what a file system takes.

import { describe, expect, it } from "vitest";
// @ts-expect-error: the app has no types of Node, its tests run there.
import { execFileSync } from "node:child_process";
import {
  NAME_BYTES,
  cleanName,
  isNameless,
  numberedName,
  pastedName,
  selectedPath,
} from "./file-names";
import { shellQuote, typedPaths } from "./shell-quote";

describe("shellQuote", () => {
  it("leaves plain names as they are", () => {
    for (const plain of ["a.txt", "src/main.rs", "grün.png", "日本.md", "v1.2+3@x:y,z"]) {
      expect(shellQuote(plain)).toBe(plain);
    }
  });

  it("makes one word of everything else, which a real shell reads back", () => {
    const hard = [
      "a b.txt", "it's", "$HOME", "`id`", "a;b", "*", "~", "~/x", "#x", "!x", "a\\b", '"', "'", "-rf",
      "--", "", "=ls", "a=b", "%1", "^x", "{a,b}", "x|y", "x&", "x>y", "\u00a0", "''", "a\tb", "??",
    ];
    for (const path of hard) {
      const read = execFileSync("sh", ["-c", `printf %s ${shellQuote(path)}`], { cwd: "/" });
      expect(read.toString()).toBe(path.startsWith("-") ? `./${path}` : path);
    }
  });

  it("puts a space behind each", () => {
    expect(typedPaths(["a", "b c"])).toBe("a 'b c' ");
  });
});

describe("names", () => {
  it("never lead elsewhere", () => {
    expect(cleanName("../../etc/passwd")).toBe("passwd");
    expect(cleanName("C:\\photos\\cat.jpg")).toBe("cat.jpg");
    for (const name of ["", ".", "..", "...", "/", "\0", "a/.."]) expect(cleanName(name)).toBe("file");
    expect(cleanName("a\nb\x1b[31m\x7f.txt")).toBe("ab[31m.txt");
    expect(cleanName("exe\u202egnp.txt")).toBe("exegnp.txt");
    expect(cleanName(".env")).toBe(".env");
  });

  it("fit a file system, and keep their ending", () => {
    const long = cleanName(`${"ü".repeat(400)}.tar.gz`);
    expect(new TextEncoder().encode(long).length).toBeLessThanOrEqual(NAME_BYTES);
    expect(long.endsWith("ü.tar.gz")).toBe(true);
    expect(cleanName("x".repeat(300)).length).toBe(NAME_BYTES);
  });

  it("are numbered before their ending where they are taken", () => {
    const second = (name: string) => numberedName(name, 2);
    expect(["a.txt", "b", ".env", "c.tar.gz", "d.e.f"].map(second)).toEqual([
      "a-2.txt", "b-2", ".env-2", "c-2.tar.gz", "d.e-2.f",
    ]);
    expect(numberedName("a.txt", 1)).toBe("a.txt");
  });

  it("of pasted pictures tell when", () => {
    expect(isNameless({ name: "image.png", type: "image/png" })).toBe(true);
    expect(isNameless({ name: "cat.png", type: "image/png" })).toBe(false);
    expect(isNameless({ name: "image.txt", type: "text/plain" })).toBe(false);
    const when = new Date(2026, 10, 2, 3, 4, 5);
    expect(pastedName("image/jpeg", when)).toBe("pasted-2026-11-02-030405.jpg");
  });
});

describe("selectedPath", () => {
  it("takes off what programs print around a path", () => {
    expect(selectedPath("  src/main.rs:12:3\n")).toBe("src/main.rs");
    expect(selectedPath("'a b.txt'")).toBe("a b.txt");
    expect(selectedPath("(docs/x.md),")).toBe("docs/x.md");
    expect(selectedPath("Makefile")).toBe("Makefile");
  });

  it("knows what is none", () => {
    for (const text of ["", " \n", "two\nlines", "https://x.y/z", "folder/"]) {
      expect(selectedPath(text)).toBeNull();
    }
  });
});
