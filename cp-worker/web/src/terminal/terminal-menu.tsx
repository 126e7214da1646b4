// What else can be done with the session that is on the screen.

import {
  CircleStop,
  Copy,
  Download,
  EllipsisVertical,
  FileDown,
  Keyboard,
  LogOut,
  Paperclip,
  Pencil,
  Search,
  Settings2,
  TextSelect,
} from "lucide-react";
import { useRef, useState } from "react";
import { RenameDialog } from "@/components/rename-dialog";
import { EndSessionDialog } from "@/components/session-row";
import { Button } from "@/components/ui/button";
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuSeparator,
  MenuTrigger,
} from "@/components/ui/menu";
import type { Session } from "@/lib/api";
import { isMac, keysOf, type ShortcutAction } from "./shortcuts";

interface TerminalMenuProps {
  session: Session | null;
  /** Whether files can come and go. */
  hasFiles: boolean;
  /** The path that is selected, if any, each time the menu opens. */
  selectedPath(): string | null;
  onAction(action: ShortcutAction): void;
  onView(): void;
  onSave(): void;
  onRenamed(session: Session): void;
}

export function TerminalMenu(props: TerminalMenuProps) {
  const { session, hasFiles, selectedPath, onAction, onView, onSave, onRenamed } = props;
  const [renaming, setRenaming] = useState(false);
  const [ending, setEnding] = useState(false);
  const [path, setPath] = useState<string | null>(null);
  /** Whether an item has put the focus where it belongs. */
  const acted = useRef(false);
  const act = (action: ShortcutAction) => () => {
    acted.current = true;
    onAction(action);
  };
  return (
    <>
      <Menu
        onOpenChange={(open) => {
          if (!open) return;
          acted.current = false;
          setPath(selectedPath());
        }}
      >
        <MenuTrigger asChild>
          <Button variant="ghost" size="icon" aria-label="More" data-testid="terminal-menu">
            <EllipsisVertical />
          </Button>
        </MenuTrigger>
        <MenuContent
          className="max-h-[85dvh] min-w-72 overflow-y-auto"
          onCloseAutoFocus={(event) => acted.current && event.preventDefault()}
        >
          {hasFiles && (
            <>
              <MenuItem onSelect={act("upload")} data-testid="menu-upload">
                <Paperclip />
                Upload files…
                <ShortcutKeys of="upload" />
              </MenuItem>
              <MenuItem onSelect={act("download")} data-testid="menu-download">
                <FileDown />
                {path === null ? "Download a file…" : <DownloadPath path={path} />}
                <ShortcutKeys of="download" />
              </MenuItem>
              <MenuSeparator />
            </>
          )}
          <MenuItem onSelect={act("copy")}>
            <Copy />
            Copy
            <ShortcutKeys of="copy" />
          </MenuItem>
          <MenuItem onSelect={act("select_all")}>
            <TextSelect />
            Select all
            <ShortcutKeys of="select_all" />
          </MenuItem>
          <MenuItem onSelect={act("find")}>
            <Search />
            Find…
            <ShortcutKeys of="find" />
          </MenuItem>
          <MenuItem onSelect={onSave}>
            <Download />
            Save screen and history
          </MenuItem>
          <MenuSeparator />
          <MenuItem
            onSelect={() => {
              acted.current = true;
              onView();
            }}
            data-testid="menu-view"
          >
            <Settings2 />
            Text size, theme…
          </MenuItem>
          <MenuItem onSelect={act("help")} data-testid="menu-help">
            <Keyboard />
            Keys…
            <ShortcutKeys of="help" />
          </MenuItem>
          <MenuItem onSelect={act("leave")}>
            <LogOut />
            Leave the terminal
            <ShortcutKeys of="leave" />
          </MenuItem>
          {session?.status === "running" && (
            <>
              <MenuSeparator />
              <MenuItem onSelect={() => setRenaming(true)}>
                <Pencil />
                Rename…
              </MenuItem>
              <MenuItem danger onSelect={() => setEnding(true)} data-testid="end-session">
                <CircleStop />
                End session…
              </MenuItem>
            </>
          )}
        </MenuContent>
      </Menu>
      {session !== null && (
        <>
          <RenameDialog
            session={session}
            open={renaming}
            onOpenChange={setRenaming}
            onRenamed={onRenamed}
          />
          <EndSessionDialog session={session} open={ending} onOpenChange={setEnding} />
        </>
      )}
    </>
  );
}

function DownloadPath({ path }: { path: string }) {
  return (
    <span className="max-w-56 truncate">
      Download <span className="font-mono text-[13px]">{path}</span>
    </span>
  );
}

function ShortcutKeys({ of }: { of: ShortcutAction }) {
  return (
    <kbd className="ml-auto pl-6 font-sans text-xs text-muted-foreground pointer-coarse:hidden">
      {keysOf(of, isMac())}
    </kbd>
  );
}
