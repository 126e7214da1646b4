// Who is signed in, and the pages about them.

import { Activity, LogOut, Mailbox, Settings } from "lucide-react";
import { Link } from "react-router";
import { toast } from "sonner";
import { Button } from "@/components/ui/button";
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuLabel,
  MenuSeparator,
  MenuTrigger,
} from "@/components/ui/menu";
import { useAuth } from "@/hooks/auth";
import { problemText } from "@/lib/api";

export function AccountMenu() {
  const { config, user, signOut } = useAuth();
  if (user === null) return null;
  const leave = () => signOut().catch((error: unknown) => toast.error(problemText(error)));
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button
          variant="ghost"
          size="icon"
          aria-label="Account"
          data-testid="account-menu"
          className="rounded-full bg-muted font-semibold text-foreground uppercase"
        >
          {user.email.charAt(0)}
        </Button>
      </MenuTrigger>
      <MenuContent className="max-w-72">
        <MenuLabel>{user.email}</MenuLabel>
        <MenuSeparator />
        <MenuItem asChild data-testid="open-settings">
          <Link to="/settings">
            <Settings />
            Settings
          </Link>
        </MenuItem>
        <MenuItem asChild data-testid="open-status">
          <Link to="/status">
            <Activity />
            Status
          </Link>
        </MenuItem>
        {config?.auth_mode === "dev" && (
          <MenuItem asChild>
            <Link to="/dev/outbox">
              <Mailbox />
              Outbox
            </Link>
          </MenuItem>
        )}
        <MenuSeparator />
        <MenuItem onSelect={leave} data-testid="sign-out">
          <LogOut />
          Sign out
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}
