// Asks for the path of a file on the server, and lets the browser save it.

import { useState, type FormEvent } from "react";
import { Button } from "@/components/ui/button";
import { Dialog, DialogClose, DialogContent, DialogFooter } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { problemText } from "@/lib/api";
import { fileAddress, probe, save } from "./transfer";

interface DownloadDialogProps {
  gatewayId: string;
  sessionId: number;
  folder: string;
  /** The path to begin with; null while the dialog is closed. */
  path: string | null;
  onClose(): void;
  onCloseAutoFocus(event: Event): void;
}

export function DownloadDialog(props: DownloadDialogProps) {
  const { path, onClose, onCloseAutoFocus, folder, ...session } = props;
  return (
    <Dialog open={path !== null} onOpenChange={(open) => !open && onClose()}>
      <DialogContent
        onCloseAutoFocus={onCloseAutoFocus}
        title="Download a file"
        description={
          <>
            A path in <span className="font-mono text-[13px]">{folder}</span>, or a full one in the
            workspace. Up to 20 MiB.
          </>
        }
      >
        <DownloadForm {...session} initial={path ?? ""} onDone={onClose} />
      </DialogContent>
    </Dialog>
  );
}

interface DownloadFormProps {
  gatewayId: string;
  sessionId: number;
  initial: string;
  onDone(): void;
}

function DownloadForm({ gatewayId, sessionId, initial, onDone }: DownloadFormProps) {
  const [path, setPath] = useState(initial);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      const address = fileAddress(gatewayId, sessionId, path.trim());
      // The browser tells nobody why a download failed; so we ask first.
      await probe(address);
      save(address);
      onDone();
    } catch (error) {
      setProblem(problemText(error));
      setBusy(false);
    }
  };
  return (
    <form onSubmit={submit} className="grid gap-5">
      <Field label="Path">
        {(ids) => (
          <Input
            {...ids}
            data-testid="download-path"
            required
            autoFocus
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            placeholder="out/report.pdf"
            className="font-mono"
            value={path}
            onChange={(event) => setPath(event.target.value)}
          />
        )}
      </Field>
      {problem !== null && (
        <p role="alert" data-testid="download-problem" className="text-sm text-danger">
          {problem}
        </p>
      )}
      <DialogFooter>
        <DialogClose asChild>
          <Button variant="outline">Cancel</Button>
        </DialogClose>
        <Button type="submit" data-testid="download-start" disabled={busy || path.trim() === ""}>
          {busy ? "One moment…" : "Download"}
        </Button>
      </DialogFooter>
    </form>
  );
}
