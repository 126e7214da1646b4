// The frame around every page but the terminal: brand, way back, theme, account.

import { Monitor, Moon, Sun, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { AccountMenu } from "@/components/account-menu";
import { Brand } from "@/components/brand";
import { Button } from "@/components/ui/button";
import {
  Menu,
  MenuContent,
  MenuRadioGroup,
  MenuRadioItem,
  MenuTrigger,
} from "@/components/ui/menu";
import { useAuth } from "@/hooks/auth";
import { useTheme, type ThemeChoice } from "@/hooks/theme";

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

export function Page({ children }: { children: ReactNode }) {
  const { user } = useAuth();
  return (
    <div className="min-h-dvh">
      <header className="mx-auto flex h-16 max-w-4xl items-center gap-1 px-5 sm:px-8">
        <Link
          to="/"
          reloadDocument={user === null}
          className="mr-auto rounded-md text-lg focus-visible:outline-2"
        >
          <Brand />
        </Link>
        <ThemeMenu />
        {user === null ? (
          <Button asChild variant="outline" size="small" className="ml-1">
            <Link to="/sign-in">Sign in</Link>
          </Button>
        ) : (
          <AccountMenu />
        )}
      </header>
      <main className="mx-auto max-w-4xl px-5 pt-6 pb-20 sm:px-8 sm:pt-10">{children}</main>
    </div>
  );
}

/** The first heading of a page, and at its right what can be done on it. */
export function PageTitle({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="mb-8 flex items-center justify-between gap-4">
      <h1 className="min-w-0 text-[28px] leading-tight font-semibold tracking-[-0.02em]">
        {children}
      </h1>
      {action}
    </div>
  );
}
