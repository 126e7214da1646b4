// The frame around every page but the terminal: brand, way back, theme, account.

import { LogOut, Monitor, Moon, Sun, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { toast } from "sonner";
import { Brand } from "@/components/brand";
import { Button } from "@/components/ui/button";
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuLabel,
  MenuRadioGroup,
  MenuRadioItem,
  MenuSeparator,
  MenuTrigger,
} from "@/components/ui/menu";
import { useAuth } from "@/hooks/auth";
import { useTheme, type ThemeChoice } from "@/hooks/theme";
import { problemText } from "@/lib/api";

const THEMES: Record<ThemeChoice, { label: string; icon: LucideIcon }> = {
  light: { label: "Light", icon: Sun },
  dark: { label: "Dark", icon: Moon },
  system: { label: "System", icon: Monitor },
};

export function ThemeItems() {
  const { choice, choose } = useTheme();
  return (
    <MenuRadioGroup value={choice} onValueChange={(value) => choose(value as ThemeChoice)}>
      {Object.entries(THEMES).map(([value, { label, icon: Icon }]) => (
        <MenuRadioItem key={value} value={value} data-testid={`theme-${value}`}>
          <Icon />
          {label}
          {value === choice && <span className="ml-auto size-1.5 rounded-full bg-live" />}
        </MenuRadioItem>
      ))}
    </MenuRadioGroup>
  );
}

export function ThemeMenu() {
  const { choice } = useTheme();
  const Icon = THEMES[choice].icon;
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button variant="ghost" size="icon" aria-label="Theme" data-testid="theme-menu">
          <Icon />
        </Button>
      </MenuTrigger>
      <MenuContent>
        <ThemeItems />
      </MenuContent>
    </Menu>
  );
}

function AccountMenu() {
  const { user, signOut } = useAuth();
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
        <MenuItem onSelect={leave} data-testid="sign-out">
          <LogOut />
          Sign out
        </MenuItem>
      </MenuContent>
    </Menu>
  );
}

export function Page({ children }: { children: ReactNode }) {
  return (
    <div className="min-h-dvh">
      <header className="mx-auto flex h-16 max-w-4xl items-center gap-1 px-5 sm:px-8">
        <Link to="/" className="mr-auto rounded-md text-lg focus-visible:outline-2">
          <Brand />
        </Link>
        <ThemeMenu />
        <AccountMenu />
      </header>
      <main className="mx-auto max-w-4xl px-5 pt-6 pb-20 sm:px-8 sm:pt-10">{children}</main>
    </div>
  );
}
