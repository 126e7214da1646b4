// What can be done with a server as a whole.

import {
  Cable,
  ExternalLink,
  Pencil,
  Power,
  PowerOff,
  Trash2,
} from "lucide-react";
import { useState } from "react";
import { toast } from "sonner";
import { ConnectDialog } from "@/components/connect-server";
import { DestroyDialog, PowerOffDialog } from "@/components/droplet-dialogs";
import { RenameServerDialog } from "@/components/rename-dialog";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Menu, MenuContent, MenuItem, MenuSeparator } from "@/components/ui/menu";
import { MoreTrigger } from "@/components/ui/more-trigger";
import { api, problemText, type NewServer, type Server } from "@/lib/api";

interface ServerMenuProps {
  server: Server;
  onChange(server: Server): void;
  onRemoved(): void;
}

type Asked = "rename" | "power-off" | "destroy" | "remove";

export function ServerMenu({ server, onChange, onRemoved }: ServerMenuProps) {
  const [asked, setAsked] = useState<Asked | null>(null);
  const [added, setAdded] = useState<NewServer | null>(null);
  const dialog = (which: Asked) => ({
    server,
    open: asked === which,
    onOpenChange: (open: boolean) => setAsked(open ? which : null),
    onChange,
  });
  const { droplet, gateway_id } = server;
  return (
    <>
      <Menu>
        <MoreTrigger name={server.name} className="-mt-1.5" data-testid="server-menu" />
        <MenuContent>
          <MenuItem onSelect={() => setAsked("rename")} data-testid="rename-server">
            <Pencil />
            Rename…
          </MenuItem>
          {droplet === null && server.status !== "online" && (
            <MenuItem onSelect={() => showLine(gateway_id, setAdded)} data-testid="show-line">
              <Cable />
              {server.status === "pending" ? "Show a new install line" : "Connect it again…"}
            </MenuItem>
          )}
          {droplet !== null && (
            <DropletItems server={server} onChange={onChange} onAsk={setAsked} />
          )}
          <MenuSeparator />
          {droplet === null ? (
            <MenuItem danger onSelect={() => setAsked("remove")} data-testid="remove-server">
              <Trash2 />
              Remove server…
            </MenuItem>
          ) : (
            <MenuItem
              danger
              disabled={droplet.status === "destroying"}
              onSelect={() => setAsked("destroy")}
              data-testid="destroy-server"
            >
              <Trash2 />
              Destroy droplet…
            </MenuItem>
          )}
        </MenuContent>
      </Menu>
      <RenameServerDialog {...dialog("rename")} onRenamed={onChange} />
      <PowerOffDialog {...dialog("power-off")} />
      <DestroyDialog {...dialog("destroy")} />
      <ConnectDialog added={added} server={server} onChange={setAdded} />
      <ConfirmDialog
        {...dialog("remove")}
        title={`Remove ${server.name}?`}
        description="Its gateway loses access at once and the server leaves this list. Sessions that run on the machine go on there, but can no longer be reached from here."
        action="Remove server"
        onConfirm={async () => {
          await api.removeServer(gateway_id);
          onRemoved();
        }}
      />
    </>
  );
}

/** Asks for a new token, which makes the line before worthless, and shows its line. */
export function showLine(gatewayId: string, show: (added: NewServer) => void): void {
  api.newToken(gatewayId).then(show, (error: unknown) => toast.error(problemText(error)));
}

interface DropletItemsProps {
  server: Server;
  onChange(server: Server): void;
  onAsk(asked: Asked): void;
}

function DropletItems({ server, onChange, onAsk }: DropletItemsProps) {
  const { droplet, gateway_id } = server;
  const powerOn = () =>
    api
      .powerDroplet(gateway_id, true)
      .then(onChange, (error: unknown) => toast.error(problemText(error)));
  return (
    <>
      {droplet?.status === "active" && (
        <MenuItem onSelect={() => onAsk("power-off")} data-testid="power-off">
          <PowerOff />
          Power off…
        </MenuItem>
      )}
      {droplet?.status === "off" && (
        <MenuItem onSelect={powerOn} data-testid="power-on">
          <Power />
          Power on
        </MenuItem>
      )}
      {droplet?.console_url && (
        <MenuItem asChild>
          <a href={droplet.console_url} target="_blank" rel="noreferrer">
            <ExternalLink />
            DigitalOcean console
          </a>
        </MenuItem>
      )}
    </>
  );
}
