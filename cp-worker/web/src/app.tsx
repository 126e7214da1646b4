// Which page stands at which address, and which of them need somebody who is signed in.

import { lazy, Suspense, useState } from "react";
import { BrowserRouter, Navigate, Outlet, Route, Routes, useLocation } from "react-router";
import { Toaster } from "sonner";
import { Brand } from "@/components/brand";
import { ReturnToPage } from "@/components/return-to-page";
import { TooltipProvider } from "@/components/ui/tooltip";
import { AuthProvider, useAuth } from "@/hooks/auth";
import { ThemeProvider, useTheme } from "@/hooks/theme";
import { returnPath, signInPath } from "@/lib/return-path";
import { NotFoundPage } from "@/pages/not-found";
import { ServerPage } from "@/pages/server";
import { ServersPage } from "@/pages/servers";
import { SignInPage } from "@/pages/sign-in";
import { UnreachablePage } from "@/pages/unreachable";

// xterm.js is most of the code and is needed on one page alone; the others are seldom wanted.
const TerminalPage = lazy(() => import("@/pages/terminal"));
const ConfirmPage = lazy(() => import("@/pages/sign-in-confirm"));
const SettingsPage = lazy(() => import("@/pages/settings"));
const StatusPage = lazy(() => import("@/pages/status"));
const OutboxPage = lazy(() => import("@/pages/dev-outbox"));

function Loading() {
  return (
    <div role="status" className="grid min-h-dvh place-items-center">
      <Brand className="text-xl" blink />
      <span className="sr-only">Loading</span>
    </div>
  );
}

/** What is beneath needs a user; whoever is none signs in and is led back. */
function Members() {
  const { user } = useAuth();
  const { pathname, search } = useLocation();
  if (user === null) return <Navigate to={signInPath(pathname + search)} replace />;
  return <Outlet />;
}

/** The servers; a provider's sign-in ends here too, whatever page it began for. */
function FirstPage() {
  const [wanted] = useState(() => returnPath(Date.now()));
  return wanted === "/" ? <ServersPage /> : <ReturnToPage />;
}

function Pages() {
  const { config, loading } = useAuth();
  if (loading) return <Loading />;
  if (config === null) return <UnreachablePage />;
  return (
    <Suspense fallback={<Loading />}>
      <Routes>
        <Route path="/sign-in" element={<SignInPage />} />
        <Route path="/sign-in/confirm" element={<ConfirmPage />} />
        <Route path="/status" element={<StatusPage />} />
        {config.auth_mode === "dev" && <Route path="/dev/outbox" element={<OutboxPage />} />}
        <Route element={<Members />}>
          <Route path="/" element={<FirstPage />} />
          <Route path="/servers/:gatewayId" element={<ServerPage />} />
          <Route path="/servers/:gatewayId/sessions/:sessionId" element={<TerminalPage />} />
          <Route path="/settings" element={<SettingsPage />} />
        </Route>
        <Route path="*" element={<NotFoundPage />} />
      </Routes>
    </Suspense>
  );
}

function Toasts() {
  const { shown } = useTheme();
  return (
    <Toaster
      theme={shown}
      position="top-center"
      offset={{ top: 60 }}
      mobileOffset={{ top: 60 }}
      closeButton
      toastOptions={{
        unstyled: true,
        classNames: {
          toast:
            "flex w-full items-center gap-3 rounded-lg border bg-raised px-4 py-3 font-sans text-sm leading-snug text-foreground shadow-raised",
          warning: "[&_[data-icon]]:text-warning",
          error: "[&_[data-icon]]:text-danger",
          success: "[&_[data-icon]]:text-live",
          content: "min-w-0 flex-1",
          closeButton:
            "static! order-last -mr-1.5 grid! size-7! transform-none! border-0! bg-transparent! shrink-0 place-items-center rounded-md text-muted-foreground hover:bg-muted! hover:text-foreground focus-visible:ring-2 focus-visible:ring-ring focus-visible:outline-none",
        },
      }}
    />
  );
}

export function App() {
  return (
    <ThemeProvider>
      <AuthProvider>
        <TooltipProvider delayDuration={300}>
          <BrowserRouter>
            <Pages />
          </BrowserRouter>
          <Toasts />
        </TooltipProvider>
      </AuthProvider>
    </ThemeProvider>
  );
}
