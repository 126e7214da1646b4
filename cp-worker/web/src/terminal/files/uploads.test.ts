// Uploads against a folder in memory whose transfers end when a test says so.

import { describe, expect, it } from "vitest";
import { ApiError } from "@/lib/api";
import { FILE_BYTES } from "@/protocol/limits";
import type { Transport } from "./transfer";
import { FILES_AT_ONCE, NAMES_TRIED, PARALLEL_UPLOADS, Uploads } from "./uploads";

/** Lets every promise that can go on do so. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

class Folder implements Transport {
  readonly names = new Set<string>();
  readonly running = new Map<string, (error?: unknown) => void>();
  most = 0;

  isTaken(path: string): Promise<boolean> {
    return Promise.resolve(this.names.has(path));
  }

  put(path: string, file: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: unknown) => {
        this.running.delete(path);
        if (error !== undefined) return reject(error);
        this.names.add(path);
        onSent(file.size + 100);
        resolve();
      };
      this.running.set(path, end);
      this.most = Math.max(this.most, this.running.size);
      signal.addEventListener("abort", () => end(signal.reason));
    });
  }

  async finish(name: string, error?: unknown): Promise<void> {
    await settle();
    const end = this.running.get(name);
    if (end === undefined) throw new Error(`${name} is not under way: ${[...this.running.keys()]}`);
    end(error);
    await settle();
  }
}

function start() {
  const folder = new Folder();
  const done: { names: string[]; mark: number }[] = [];
  const uploads = new Uploads<number>(folder, (names, mark) => done.push({ names, mark }));
  const add = (names: string[], mark = 0, size = 3) =>
    uploads.add(names.map((name) => ({ name, file: new Blob(["x".repeat(size)]) })), mark);
  const states = () => uploads.get().map(({ name, state }) => `${name} ${state}`);
  return { folder, uploads, add, done, states };
}

describe("uploads", () => {
  it("go a few at once, and are told together in their order", async () => {
    const { folder, add, done, uploads } = start();
    expect(add(["a", "b", "c"], 7)).toBeNull();
    await settle();
    expect([...folder.running.keys()]).toEqual(["a", "b"]);
    await folder.finish("b");
    await folder.finish("c");
    expect(done).toEqual([]);
    expect(uploads.busy).toBe(true);
    await folder.finish("a");
    expect(done).toEqual([{ names: ["a", "b", "c"], mark: 7 }]);
    expect(folder.most).toBe(PARALLEL_UPLOADS);
    expect(uploads.busy).toBe(false);
    expect(uploads.get()[0]).toMatchObject({ sent: 3, size: 3, state: "done" });
  });

  it("never take a name that is taken, by a file or by each other", async () => {
    const { folder, add, done } = start();
    folder.names.add("a.txt");
    add(["a.txt", "a.txt"]);
    await folder.finish("a-2.txt");
    await folder.finish("a-3.txt");
    expect(done[0]?.names.toSorted()).toEqual(["a-2.txt", "a-3.txt"]);
  });

  it("give up a name that is taken too often", async () => {
    const { folder, add, uploads } = start();
    folder.names.add("a");
    for (let n = 2; n <= NAMES_TRIED; n += 1) folder.names.add(`a-${n}`);
    add(["a"]);
    await settle();
    expect(uploads.get()[0]).toMatchObject({ state: "failed", canRetry: true });
  });

  it("refuse what is too large before anything is sent, and send the rest", async () => {
    const { folder, uploads, done } = start();
    const large = { size: FILE_BYTES + 1 } as Blob;
    uploads.add([{ name: "large", file: large }, { name: "small", file: new Blob(["x"]) }], 1);
    expect(uploads.get()[0]).toMatchObject({ state: "failed", canRetry: false });
    expect(uploads.get()[0]?.problem).toContain("20 MiB");
    await folder.finish("small");
    expect(done).toEqual([{ names: ["small"], mark: 1 }]);
  });

  it("are too many at once", () => {
    const { add, uploads } = start();
    expect(add(Array.from({ length: FILES_AT_ONCE + 1 }, (_, n) => `${n}`))).toContain("too many");
    expect(uploads.get()).toEqual([]);
  });

  it("say why they failed, let others go on, and can be tried again", async () => {
    const { folder, add, uploads, done, states } = start();
    add(["a", "b"], 1);
    await folder.finish("a", new ApiError(507, "disk_full", "the disk is full"));
    await folder.finish("b");
    expect(uploads.get()[0]).toMatchObject({ state: "failed", problem: "The disk is full." });
    expect(done).toEqual([{ names: ["b"], mark: 1 }]);
    const [failed] = uploads.get();
    uploads.retry(failed?.id ?? 0, 2);
    await folder.finish("a");
    expect(done[1]).toEqual({ names: ["a"], mark: 2 });
    expect(states()).toEqual(["a done", "b done"]);
  });

  it("are cancelled on their way or before it, and leave the others their turn", async () => {
    const { folder, add, uploads, done, states } = start();
    add(["a", "b", "c", "d"]);
    await settle();
    const [a, , , d] = uploads.get();
    uploads.cancel(d?.id ?? 0);
    uploads.cancel(a?.id ?? 0);
    await settle();
    expect(states()).toEqual(["b sending", "c sending"]);
    await folder.finish("b");
    await folder.finish("c");
    expect(done).toEqual([{ names: ["b", "c"], mark: 0 }]);
    expect([...folder.names]).toEqual(["b", "c"]);
  });

  it("end with the page", async () => {
    const { folder, add, uploads, done } = start();
    add(["a", "b"]);
    await settle();
    uploads.dispose();
    await settle();
    expect(folder.running.size).toBe(0);
    expect(done).toEqual([]);
  });
});
