// Links of the terminal: opened, or asked about where their text leads elsewhere.

import { useRef, useState, type ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { decide, openAddress } from "./links";

interface TerminalLinks {
  onLink(event: MouseEvent, address: string, text: string | null): void;
  /** For the terminal's frame: a click does not tell what made it. */
  onPointerDown(event: { pointerType: string }): void;
  /** The question, while there is one. */
  question: ReactNode;
}

export function useLinks(): TerminalLinks {
  const pointer = useRef("mouse");
  const [asked, setAsked] = useState<{ address: string; text: string } | null>(null);
  return {
    onPointerDown: ({ pointerType }) => (pointer.current = pointerType),
    onLink: ({ ctrlKey, metaKey }, address, text) => {
      const gesture = { touch: pointer.current === "touch", held: ctrlKey || metaKey };
      const decision = decide(address, text, gesture);
      if (decision === "open") openAddress(address);
      if (decision === "ask") setAsked({ address, text: text ?? "" });
    },
    question: (
      <Dialog open={asked !== null} onOpenChange={(open) => !open && setAsked(null)}>
        <DialogContent
          data-testid="link-question"
          title="Open this link?"
          description="Its text says something else than where it leads."
        >
          <dl className="grid gap-3 text-sm">
            <div>
              <dt className="text-muted-foreground">The terminal shows</dt>
              <dd className="wrap-anywhere">
                <bdi>{asked?.text.trim()}</bdi>
              </dd>
            </div>
            <div>
              <dt className="text-muted-foreground">It leads to</dt>
              <dd className="font-mono text-[13px] wrap-anywhere">
                <bdi>{asked?.address}</bdi>
              </dd>
            </div>
          </dl>
          <DialogFooter>
            <DialogClose asChild>
              <Button variant="outline">Cancel</Button>
            </DialogClose>
            <DialogClose asChild>
              <Button
                data-testid="link-open"
                onClick={() => asked !== null && openAddress(asked.address)}
              >
                Open
              </Button>
            </DialogClose>
          </DialogFooter>
        </DialogContent>
      </Dialog>
    ),
  };
}
