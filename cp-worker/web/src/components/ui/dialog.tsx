// Modal dialog: a sheet from below on phones, a card in the middle elsewhere.

import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";
import { RememberOpener, useFocusReturn } from "./focus-return";

export const Dialog = Radix.Root;
export const DialogClose = Radix.Close;

export const overlayClasses =
  "fixed inset-0 z-40 bg-black/45 backdrop-blur-[2px] data-[state=open]:animate-in data-[state=open]:fade-in-0 data-[state=closed]:animate-out data-[state=closed]:fade-out-0";

export const panelClasses =
  "fixed z-50 grid max-h-[92dvh] w-full gap-5 overflow-y-auto border bg-raised p-6 shadow-raised outline-none max-sm:bottom-0 max-sm:left-0 max-sm:rounded-t-2xl sm:top-1/2 sm:left-1/2 sm:max-w-lg sm:-translate-x-1/2 sm:-translate-y-1/2 sm:rounded-xl data-[state=open]:animate-in data-[state=open]:fade-in-0 max-sm:data-[state=open]:slide-in-from-bottom-8 sm:data-[state=open]:zoom-in-97";

interface DialogContentProps extends Omit<ComponentProps<typeof Radix.Content>, "title"> {
  title: string;
  description: ReactNode;
}

export function DialogContent({
  title,
  description,
  className,
  children,
  ...props
}: DialogContentProps) {
  const { opener, onCloseAutoFocus } = useFocusReturn();
  return (
    <Radix.Portal>
      <Radix.Overlay className={overlayClasses} />
      <Radix.Content
        {...props}
        onCloseAutoFocus={props.onCloseAutoFocus ?? onCloseAutoFocus}
        className={cn(panelClasses, className)}
      >
        <RememberOpener opener={opener} />
        <div className="grid gap-1.5 pr-8">
          <Radix.Title className="text-lg font-semibold tracking-tight">{title}</Radix.Title>
          <Radix.Description className="text-sm leading-relaxed text-muted-foreground">
            {description}
          </Radix.Description>
        </div>
        {children}
        <Radix.Close
          aria-label="Close"
          className="absolute top-4 right-4 grid size-8 place-items-center rounded-md text-muted-foreground hover:bg-muted hover:text-foreground focus-visible:ring-2 focus-visible:ring-ring"
        >
          <X className="size-4" />
        </Radix.Close>
      </Radix.Content>
    </Radix.Portal>
  );
}

export function DialogFooter({ children }: { children: ReactNode }) {
  return <div className="flex flex-col-reverse gap-2 sm:flex-row sm:justify-end">{children}</div>;
}
