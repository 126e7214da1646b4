// Files between this browser and a session's folder, over the control plane's HTTP interface.

import { ApiError, sessionPath } from "@/lib/api";

/** How files come and go; tests have one without a network. */
export interface Transport {
  /** Whether the session's folder has something of this name. */
  isTaken(path: string, signal: AbortSignal): Promise<boolean>;
  /** Sends a file, which replaces what has its name. */
  put(path: string, file: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<void>;
}

/** Where a file of the session's folder is. */
export function fileAddress(gatewayId: string, sessionId: number, path: string): string {
  return `${sessionPath(gatewayId, sessionId)}/files?${new URLSearchParams({ path })}`;
}

/** Throws why the file cannot be had; what begins to come is not waited for. */
export async function probe(address: string, signal?: AbortSignal): Promise<void> {
  const ending = new AbortController();
  signal?.addEventListener("abort", () => ending.abort());
  const response = await fetch(address, { signal: ending.signal });
  if (!response.ok) throw refusal(response.status, await response.text());
  ending.abort();
}

/** Lets the browser save what is at `address`, with its own name and its own progress. */
export function save(address: string): void {
  const link = document.createElement("a");
  link.href = address;
  link.download = "";
  link.click();
}

export class HttpTransport implements Transport {
  constructor(
    private readonly gatewayId: string,
    private readonly sessionId: number,
  ) {}

  async isTaken(path: string, signal: AbortSignal): Promise<boolean> {
    try {
      await probe(this.address(path), signal);
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.code === "not_found") return false;
      // A folder, a link, or a file that is too large to be had: a name that is taken all the same.
      if (error.code === "bad_path" || error.code === "too_large") return true;
      throw error;
    }
  }

  put(path: string, file: Blob, onSent: (bytes: number) => void, signal: AbortSignal): Promise<void> {
    // `fetch` does not tell how much it has sent.
    const request = new XMLHttpRequest();
    return new Promise((resolve, reject) => {
      const cancel = () => {
        request.abort();
        reject(signal.reason);
      };
      signal.addEventListener("abort", cancel, { once: true });
      request.upload.onprogress = ({ loaded }) => onSent(loaded);
      request.onload = () =>
        request.status === 201
          ? resolve()
          : reject(refusal(request.status, request.responseText));
      request.onerror = () => reject(new TypeError("the connection broke"));
      request.onloadend = () => signal.removeEventListener("abort", cancel);
      request.open("PUT", this.address(path));
      request.setRequestHeader("content-type", "application/octet-stream");
      request.send(file);
    });
  }

  private address(path: string): string {
    return fileAddress(this.gatewayId, this.sessionId, path);
  }
}

function refusal(status: number, body: string): ApiError {
  let error: { code?: string; message?: string } | undefined;
  try {
    error = (JSON.parse(body) as { error?: { code?: string; message?: string } }).error;
  } catch {
    // Not the control plane's own words.
  }
  const message = error?.message ?? `The control plane answered ${status}.`;
  return new ApiError(status, error?.code ?? "unknown", message);
}
