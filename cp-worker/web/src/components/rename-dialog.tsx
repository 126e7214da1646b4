// Gives a session or a server another name.

import { useEffect, useState } from "react";
import { FormDialog, NameField } from "@/components/dialog-form";
import { api, type Server, type Session } from "@/lib/api";

interface Opened {
  open: boolean;
  onOpenChange(open: boolean): void;
}

interface RenameProps extends Opened {
  title: string;
  description: string;
  /** As it is called now. */
  present: string;
  rename(name: string): Promise<void>;
}

function Rename({ present, rename, ...dialog }: RenameProps) {
  const [name, setName] = useState(present);
  useEffect(() => {
    if (dialog.open) setName(present);
  }, [dialog.open, present]);
  return (
    <FormDialog
      {...dialog}
      action="Rename"
      busyAction="Renaming…"
      ready={name.trim() !== ""}
      testId="rename-save"
      onSubmit={() => rename(name.trim())}
    >
      <NameField testId="rename-name" value={name} onChange={setName} />
    </FormDialog>
  );
}

interface RenameSessionProps extends Opened {
  session: Session;
  onRenamed?(session: Session): void;
}

export function RenameDialog({ session, onRenamed, ...opened }: RenameSessionProps) {
  const { gateway_id, session_id, name } = session;
  return (
    <Rename
      {...opened}
      title="Rename session"
      description="Its programs notice nothing."
      present={name}
      rename={async (name) => onRenamed?.(await api.renameSession(gateway_id, session_id, name))}
    />
  );
}

interface RenameServerProps extends Opened {
  server: Server;
  onRenamed(server: Server): void;
}

export function RenameServerDialog({ server, onRenamed, ...opened }: RenameServerProps) {
  return (
    <Rename
      {...opened}
      title="Rename server"
      description="The name is for you alone: the machine keeps its own."
      present={server.name}
      rename={async (name) => onRenamed(await api.renameServer(server.gateway_id, name))}
    />
  );
}
