// How a session ended, in words.

import type { SessionEnded } from "@/protocol/generated/events";

interface End {
  reason: SessionEnded["reason"] | null;
  exit_code?: number | null | undefined;
  signal?: number | null | undefined;
}

export function endText({ reason, exit_code, signal }: End): string {
  switch (reason) {
    case "exited":
      return exit_code ? `Exited with code ${exit_code}` : "Finished";
    case "ended":
      return "Ended by you";
    case "killed":
      return signal ? `Killed by signal ${signal}` : "Killed";
    case "out_of_memory":
      return "Out of memory";
    case "lost":
      return "Lost with its server";
    default:
      return "Ended";
  }
}
