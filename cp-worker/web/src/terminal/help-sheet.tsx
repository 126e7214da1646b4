// The sheet that explains the terminal page's keys.

import { Dialog, DialogContent } from "@/components/ui/dialog";
import { SHORTCUTS, isMac, nameKeys } from "./shortcuts";

interface HelpSheetProps {
  open: boolean;
  onOpenChange(open: boolean): void;
  onCloseAutoFocus(event: Event): void;
}

export function HelpSheet({ open, onOpenChange, onCloseAutoFocus }: HelpSheetProps) {
  return (
    <Dialog open={open} onOpenChange={onOpenChange}>
      <DialogContent
        data-testid="help-sheet"
        onCloseAutoFocus={onCloseAutoFocus}
        title="Keys"
        description="Every other key goes to the program in the terminal."
        className="sm:max-w-3xl"
      >
        <div className="grid gap-x-10 gap-y-6 sm:grid-cols-2">
          {SHORTCUTS.map(({ title, shortcuts }) => (
            <section key={title} aria-label={title}>
              <h3 className="mb-1.5 text-[13px] font-semibold text-muted-foreground">{title}</h3>
              <dl className="divide-y text-sm">
                {shortcuts.map(({ keys, does }) => (
                  <div key={keys} className="flex items-start justify-between gap-4 py-1.5">
                    <dt className="leading-6">{does}</dt>
                    <dd className="shrink-0 pt-0.5">
                      <KeyNames keys={nameKeys(keys, isMac())} />
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
        </div>
      </DialogContent>
    </Dialog>
  );
}

function KeyNames({ keys }: { keys: string }) {
  return (
    <span className="flex gap-1">
      {keys.split(" ").map((key) => (
        <kbd
          key={key}
          className="rounded-sm border bg-muted px-1.5 py-0.5 font-sans text-xs whitespace-nowrap"
        >
          {key}
        </kbd>
      ))}
    </span>
  );
}
