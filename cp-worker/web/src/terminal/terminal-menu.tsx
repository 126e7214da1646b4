// What else can be done with the session that is on the screen.

import { CircleStop, Download, EllipsisVertical, LogOut, Pencil, Search } from "lucide-react";
import { useState } from "react";
import { ThemeItems } from "@/components/page";
import { RenameDialog } from "@/components/rename-dialog";
import { EndSessionDialog } from "@/components/session-row";
import { Button } from "@/components/ui/button";
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuLabel,
  MenuSeparator,
  MenuTrigger,
} from "@/components/ui/menu";
import type { Session } from "@/lib/api";

interface TerminalMenuProps {
  session: Session | null;
  onSearch(): void;
  onSave(): void;
  onLeave(): void;
  onRenamed(session: Session): void;
}

export function TerminalMenu({ session, onSearch, onSave, onLeave, onRenamed }: TerminalMenuProps) {
  const [renaming, setRenaming] = useState(false);
  const [ending, setEnding] = useState(false);
  return (
    <>
      <Menu>
        <MenuTrigger asChild>
          <Button variant="ghost" size="icon" aria-label="More" data-testid="terminal-menu">
            <EllipsisVertical />
          </Button>
        </MenuTrigger>
        <MenuContent className="min-w-64">
          <MenuItem onSelect={onSearch}>
            <Search />
            Find…
            <Shortcut keys="Ctrl Shift F" />
          </MenuItem>
          <MenuItem onSelect={onLeave}>
            <LogOut />
            Leave the terminal
            <Shortcut keys="Ctrl Shift E" />
          </MenuItem>
          <MenuItem onSelect={onSave}>
            <Download />
            Save screen and history
          </MenuItem>
          <MenuSeparator />
          <MenuLabel>Theme</MenuLabel>
          <ThemeItems />
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

function Shortcut({ keys }: { keys: string }) {
  return <kbd className="ml-auto pl-6 font-sans text-xs text-muted-foreground">{keys}</kbd>;
}
