// Files on their way into a session's folder: a few at once, each under a name that is free.

import { problemText } from "@/lib/api";
import { formatBytes, plural } from "@/lib/format";
import { FILE_BYTES } from "@/protocol/limits";
import { cleanName, numberedName } from "./file-names";
import type { Transport } from "./transfer";

/** Transfers at the same time: two keep the line busy, and leave room for other pages of the server. */
export const PARALLEL_UPLOADS = 2;

/** Most files that are taken at once: more are a mistake, or better sent as one archive. */
export const FILES_AT_ONCE = 30;

/** Names that are tried before a person must choose another one. */
export const NAMES_TRIED = 20;

export interface Upload {
  readonly id: number;
  /** The name in the session's folder; until it is sent, the one that was wanted. */
  readonly name: string;
  readonly size: number;
  readonly sent: number;
  readonly state: "waiting" | "sending" | "done" | "failed";
  /** Why it failed, in words. */
  readonly problem: string | null;
  /** Whether trying again may help. */
  readonly canRetry: boolean;
}

/** A file and the name that it is wanted under. */
export interface NamedFile {
  file: Blob;
  name: string;
}

/** Files that came together; their paths are told together, in their order. */
interface Batch {
  open: number;
  readonly names: (string | undefined)[];
  /** What its giver wants to find again when it is done. */
  readonly mark: unknown;
}

interface Job {
  upload: Upload;
  readonly file: Blob;
  batch: Batch;
  place: number;
  ending: AbortController;
  /** The name that it is about to make. */
  claim: string | null;
}

export class Uploads<Mark> {
  private jobs: Job[] = [];
  private shown: readonly Upload[] = [];
  private lastId = 0;
  private readonly listeners = new Set<() => void>();

  /** @param onDone gets the names of a batch once none of it is on its way any more */
  constructor(
    private readonly transport: Transport,
    private readonly onDone: (names: string[], mark: Mark) => void,
  ) {}

  /** The same array until something changes. */
  readonly get = (): readonly Upload[] => this.shown;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  get busy(): boolean {
    return this.jobs.some(({ upload }) => upload.state === "waiting" || upload.state === "sending");
  }

  /** Takes files, or says why it takes none. */
  add(files: NamedFile[], mark: Mark): string | null {
    if (files.length > FILES_AT_ONCE) {
      const count = plural(files.length, "file");
      return `${count} are too many at once; the most are ${FILES_AT_ONCE}. Send them as one archive.`;
    }
    const batch: Batch = { open: files.length, names: [], mark };
    for (const [place, { file, name }] of files.entries()) {
      this.lastId += 1;
      const upload: Upload = {
        id: this.lastId,
        name: cleanName(name),
        size: file.size,
        sent: 0,
        state: "waiting",
        problem: null,
        canRetry: false,
      };
      const job = { upload, file, batch, place, ending: new AbortController(), claim: null };
      this.jobs.push(job);
      if (file.size > FILE_BYTES) {
        this.fail(job, `${formatBytes(file.size)} are too much: files may have ${LARGEST}.`, false);
      }
    }
    this.startNext();
    return null;
  }

  /** Stops a file that is on its way, or takes it from the list. */
  cancel(id: number): void {
    const job = this.find(id);
    if (job === undefined) return;
    this.jobs = this.jobs.filter((other) => other !== job);
    job.ending.abort();
    if (job.upload.state === "waiting") this.settle(job, undefined);
    this.publish();
  }

  retry(id: number, mark: Mark): void {
    const job = this.find(id);
    if (job?.upload.state !== "failed" || !job.upload.canRetry) return;
    Object.assign(job, { batch: { open: 1, names: [], mark }, place: 0 });
    job.ending = new AbortController();
    this.change(job, { state: "waiting", sent: 0, problem: null });
    this.startNext();
  }

  /** Ends all of it. */
  dispose(): void {
    const jobs = this.jobs;
    this.jobs = [];
    for (const job of jobs) job.ending.abort();
    this.listeners.clear();
  }

  private startNext(): void {
    const active = this.jobs.filter(({ upload }) => upload.state === "sending").length;
    const waiting = this.jobs.filter(({ upload }) => upload.state === "waiting");
    for (const job of waiting.slice(0, PARALLEL_UPLOADS - active)) {
      this.change(job, { state: "sending" });
      void this.send(job);
    }
    this.publish();
  }

  private async send(job: Job): Promise<void> {
    const { signal } = job.ending;
    try {
      const name = await this.freeName(job);
      this.change(job, { name });
      const onSent = (sent: number) => this.change(job, { sent: Math.min(sent, job.upload.size) });
      await this.transport.put(name, job.file, onSent, signal);
      this.change(job, { state: "done", sent: job.upload.size });
      this.settle(job, name);
    } catch (error) {
      if (signal.aborted) this.settle(job, undefined);
      else this.fail(job, error instanceof NoName ? error.message : problemText(error), true);
    }
    this.startNext();
  }

  /** A name that neither the folder has nor another upload is about to make. */
  private async freeName(job: Job): Promise<string> {
    for (let number = 1; number <= NAMES_TRIED; number += 1) {
      const name = numberedName(job.upload.name, number);
      if (this.jobs.some(({ claim }) => claim === name)) continue;
      job.claim = name;
      if (!(await this.transport.isTaken(name, job.ending.signal))) return name;
      job.claim = null;
    }
    throw new NoName(`The folder has ${NAMES_TRIED} files of this name. Rename it and try again.`);
  }

  private fail(job: Job, problem: string, canRetry: boolean): void {
    this.change(job, { state: "failed", problem, canRetry });
    this.settle(job, undefined);
  }

  /** One file of a batch is no longer on its way. */
  private settle(job: Job, name: string | undefined): void {
    const { batch, place } = job;
    job.claim = null;
    batch.names[place] = name;
    batch.open -= 1;
    const names = batch.names.filter((one) => one !== undefined);
    if (batch.open === 0 && names.length > 0) this.onDone(names, batch.mark as Mark);
  }

  private find(id: number): Job | undefined {
    return this.jobs.find(({ upload }) => upload.id === id);
  }

  private change(job: Job, changes: Partial<Upload>): void {
    job.upload = { ...job.upload, ...changes };
    this.publish();
  }

  private publish(): void {
    this.shown = this.jobs.map(({ upload }) => upload);
    for (const listener of [...this.listeners]) listener();
  }
}

/** No name is free. */
class NoName extends Error {}

/** The limit in words. */
const LARGEST = `${FILE_BYTES / (1024 * 1024)} MiB`;
