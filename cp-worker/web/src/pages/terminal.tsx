// One session on the whole page.

import { useEffect, useRef, useState } from "react";
import { useParams } from "react-router";
import { toast } from "sonner";
import { useAuth } from "@/hooks/auth";
import { useAttentionToast } from "@/hooks/use-attention-toast";
import { usePageTitle } from "@/hooks/use-page-title";
import { useVisibleArea } from "@/hooks/use-visible-area";
import { NotFoundPage } from "@/pages/not-found";
import { copyForProgram, copyText } from "@/terminal/clipboard";
import { EndedNotice } from "@/terminal/ended-notice";
import { DownloadDialog } from "@/terminal/files/download-dialog";
import { DropZone } from "@/terminal/files/drop-zone";
import { selectedPath } from "@/terminal/files/file-names";
import { named, readClipboard } from "@/terminal/files/paste";
import { UploadList } from "@/terminal/files/upload-list";
import { useDrop } from "@/terminal/files/use-drop";
import { useUploads } from "@/terminal/files/use-uploads";
import { HelpSheet } from "@/terminal/help-sheet";
import { KeyBar } from "@/terminal/key-bar";
import type { BarKey } from "@/terminal/keys";
import { OfflineBanner, useAwaySince } from "@/terminal/offline-banner";
import { saveScreen } from "@/terminal/save-screen";
import { SearchBar } from "@/terminal/search-bar";
import { SelectionBar } from "@/terminal/selection-bar";
import { SessionSwitcher } from "@/terminal/session-switcher";
import type { SessionView } from "@/terminal/session-types";
import type { Surface } from "@/terminal/surface";
import type { ShortcutAction } from "@/terminal/shortcuts";
import { TerminalHeader } from "@/terminal/terminal-header";
import { TerminalMenu } from "@/terminal/terminal-menu";
import { useLatches } from "@/terminal/use-latches";
import { useLinks } from "@/terminal/use-links";
import { useLook } from "@/terminal/use-look";
import { useNotices } from "@/terminal/use-notices";
import { useRecord } from "@/terminal/use-record";
import { useSession } from "@/terminal/use-session";
import { useTouchSelection } from "@/terminal/use-touch-selection";
import { ViewDialog } from "@/terminal/view-dialog";

export default function TerminalPage() {
  const { gatewayId = "", sessionId = "" } = useParams();
  const id = Number(sessionId);
  if (!Number.isInteger(id) || id < 1) return <NotFoundPage what="session" />;
  return <TerminalView key={`${gatewayId}/${id}`} gatewayId={gatewayId} sessionId={id} />;
}

/** What is open above the terminal. */
type Opened = "find" | "switch" | "help" | "view" | null;

interface TerminalViewProps {
  gatewayId: string;
  sessionId: number;
}

function TerminalView({ gatewayId, sessionId }: TerminalViewProps) {
  const { forget } = useAuth();
  const [opened, setOpened] = useState<Opened>(null);
  const [downloading, setDownloading] = useState<string | null>(null);
  const chooser = useRef<HTMLInputElement>(null);
  const { latches, take, toggle } = useLatches();
  const { look, tone, copyOnSelect, ...sizes } = useLook();
  const { onLink, onPointerDown, question } = useLinks();
  const area = useVisibleArea();
  const { mount, runtime, surface, view } = useSession({
    gatewayId,
    sessionId,
    look,
    onNotice: useNotices(),
    takeModifiers: take,
    onShortcut: (action) => actions[action](),
    onFiles: (files) => uploads.add(files),
    onEmptyPaste: () => void paste(),
    onLink,
    onProgramCopies: (text) => void (runtime?.isController && copyForProgram(text)),
    onMouseSelected: (text) => void (copyOnSelect && copyText(text, true)),
    onSelected: () => setTouchSelected(true),
    onPinch: (scale) => surface && sizes.pinch(scale, surface),
    onPinchEnd: sizes.endPinch,
  });
  const [touchSelected, setTouchSelected] = useTouchSelection(surface);
  const over = isOver(view);
  const [session, setSession] = useRecord(gatewayId, sessionId, over);
  const uploads = useUploads(gatewayId, sessionId, runtime);
  const dropping = useDrop(!over, uploads.add);
  const since = useAwaySince(view);
  const name = session?.name ?? `Session ${sessionId}`;

  const attention = view?.attention ?? null;
  usePageTitle(name, attention === null ? 0 : 1);
  useAttentionToast(attention);

  useEffect(() => {
    if (view?.closed === "signed_out") forget();
  }, [view?.closed, forget]);

  if (view?.closed === "not_found") return <NotFoundPage what="session" />;

  const back = `/servers/${gatewayId}`;
  const folder = session?.workdir || "~/workspace";
  const focus = () => surface?.terminal.focus();
  const close = () => {
    setOpened(null);
    focus();
  };
  /** For dialogs: the keyboard goes back to where it types. */
  const refocus = (event: Event) => {
    event.preventDefault();
    focus();
  };
  const selection = () => surface?.terminal.getSelection() ?? "";
  const step = (by: "larger" | "smaller" | "usual_size") => () => surface && sizes.step(by, surface);
  const actions: Record<ShortcutAction, () => void> = {
    copy: () => void copyText(selection()).then(focus),
    select_all: () => {
      surface?.terminal.selectAll();
      focus();
    },
    find: () => setOpened("find"),
    upload: () => (over ? undefined : chooser.current?.click()),
    download: () => (over ? undefined : setDownloading(selectedPath(selection()) ?? "")),
    larger: step("larger"),
    smaller: step("smaller"),
    usual_size: step("usual_size"),
    switch: () => setOpened("switch"),
    leave: () => document.getElementById("leave-terminal")?.focus(),
    help: () => setOpened("help"),
  };
  const onKey = (key: BarKey, shift = false) => {
    const modifiers = take();
    runtime?.pressKey(key, { ...modifiers, shift: shift || modifiers.shift });
  };
  const paste = () =>
    readClipboard().then(
      ({ text, files }) => (files.length > 0 ? uploads.add(files) : runtime?.paste(text)),
      () => toast.error("The browser did not let us read the clipboard."),
    );

  return (
    <div
      className="fixed inset-x-0 top-0 flex h-dvh flex-col bg-terminal"
      style={area}
      onPointerDownCapture={onPointerDown}
    >
      <TerminalHeader
        back={back}
        view={view}
        onTakeOver={() => runtime?.takeControl()}
        title={
          <SessionSwitcher
            gatewayId={gatewayId}
            sessionId={sessionId}
            name={name}
            open={opened === "switch"}
            onOpenChange={(open) => setOpened(open ? "switch" : null)}
            onCloseAutoFocus={refocus}
          />
        }
        menu={
          <TerminalMenu
            session={session}
            hasFiles={!over}
            selectedPath={() => selectedPath(selection())}
            onAction={(action) => actions[action]()}
            onView={() => setOpened("view")}
            onSave={() => surface && saveScreen(name, surface.serialize)}
            onRenamed={setSession}
          />
        }
      />
      {over && view !== null && view.size !== null && (
        <EndedNotice session={session} ended={view.ended} alone={false} back={back} />
      )}
      {!over && view?.connection === "offline" && view.missing !== null && (
        <OfflineBanner missing={view.missing} since={since} onRetry={() => runtime?.retry()} />
      )}
      <main className="relative min-h-0 flex-1 p-1.5 sm:p-2.5">
        <div className="grid size-full grid-cols-[minmax(0,1fr)] grid-rows-[minmax(0,1fr)] place-items-center-safe overflow-x-auto overflow-y-hidden">
          <div ref={mount} data-testid="terminal" className="size-full" />
        </div>
        {over && view?.size === null && (
          <EndedNotice session={session} ended={view.ended} alone back={back} />
        )}
        {opened === "find" && surface !== null && (
          <SearchBar search={surface.search} tone={tone} onClose={close} />
        )}
        {touchSelected && (
          <SelectionBar
            atTop={!isNearTop(surface)}
            isPath={!over && selectedPath(selection()) !== null}
            onCopy={() => void copyText(selection()).then(() => surface?.terminal.clearSelection())}
            onPaste={() => void paste().then(() => surface?.terminal.clearSelection())}
            onSelectAll={() => surface?.terminal.selectAll()}
            onDownload={actions.download}
          />
        )}
        <UploadList {...uploads} />
        {dropping && <DropZone folder={folder} />}
      </main>
      {!over && (
        <KeyBar
          latches={latches}
          onModifier={toggle}
          onKey={onKey}
          onCharacter={(character) => runtime?.pressCharacter(character, take())}
          onPaste={() => void paste()}
          onFiles={actions.upload}
        />
      )}
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        data-testid="file-chooser"
        onChange={({ target }) => {
          uploads.add(Array.from(target.files ?? [], (file) => named(file)));
          target.value = "";
          focus();
        }}
      />
      <DownloadDialog
        gatewayId={gatewayId}
        sessionId={sessionId}
        folder={folder}
        path={downloading}
        onClose={() => setDownloading(null)}
        onCloseAutoFocus={refocus}
      />
      <HelpSheet
        open={opened === "help"}
        onOpenChange={(open) => setOpened(open ? "help" : null)}
        onCloseAutoFocus={refocus}
      />
      <ViewDialog
        open={opened === "view"}
        onOpenChange={(open) => setOpened(open ? "view" : null)}
        onCloseAutoFocus={refocus}
        fontSize={surface?.usualFontSize() ?? 0}
        onFontSize={(by) => step(by)()}
      />
      {question}
    </div>
  );
}

/** Rows of the screen that a bar above them would hide. */
const ROWS_UNDER_BAR = 4;

/** Whether what is selected is in the first rows of the screen. */
function isNearTop(surface: Surface | null): boolean {
  const start = surface?.terminal.getSelectionPosition()?.start.y;
  const top = surface?.terminal.buffer.active.viewportY ?? 0;
  return start !== undefined && start - top < ROWS_UNDER_BAR;
}

/** Whether the session has ended. */
function isOver(view: SessionView | null): boolean {
  return view !== null && (view.ended !== null || view.closed === "ended");
}
