// A command to be copied and run elsewhere.

import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

/** Milliseconds for which the button says that it has copied. */
const COPIED_MS = 2_000;

interface CopyBlockProps {
  text: string;
  label: string;
  /** It is of no use any more. */
  dim?: boolean;
}

export function CopyBlock({ text, label, dim = false }: CopyBlockProps) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
      setTimeout(() => setCopied(false), COPIED_MS);
    } catch {
      toast.error("The browser did not let us copy. Select the text and copy it by hand.");
    }
  };
  return (
    <div className="relative min-w-0 rounded-lg border bg-background">
      <pre
        data-testid="bootstrap-command"
        className={cn(
          "px-4 pt-3.5 pb-12 font-mono text-[12.5px] leading-relaxed wrap-anywhere whitespace-pre-wrap",
          dim && "text-muted-foreground line-through",
        )}
      >
        {text}
      </pre>
      <Button
        variant="outline"
        size="small"
        className="absolute right-2.5 bottom-2.5"
        aria-label={label}
        disabled={dim}
        onClick={copy}
      >
        {copied ? <Check /> : <Copy />}
        {copied ? "Copied" : "Copy"}
      </Button>
    </div>
  );
}
