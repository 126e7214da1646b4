// Which page stands at which address, and the sign-in page before all of them.

import { lazy, Suspense } from "react";
import { BrowserRouter, Route, Routes } from "react-router";
import { Toaster } from "sonner";
import { Brand } from "@/components/brand";
import { TooltipProvider } from "@/components/ui/tooltip";
import { AuthProvider, useAuth } from "@/hooks/auth";
import { ThemeProvider, useTheme } from "@/hooks/theme";
import { NotFoundPage } from "@/pages/not-found";
import { ServerPage } from "@/pages/server";
import { ServersPage } from "@/pages/servers";
import { SignInPage } from "@/pages/sign-in";

// xterm.js is most of the code and is needed on one page alone.
const TerminalPage = lazy(() => import("@/pages/terminal"));

function Loading() {
  return (
    <div role="status" className="grid min-h-dvh place-items-center">
      <Brand className="text-xl" blink />
      <span className="sr-only">Loading</span>
    </div>
  );
}

function Pages() {
  const { user, loading } = useAuth();
  if (loading) return <Loading />;
  if (user === null) return <SignInPage />;
  return (
    <Suspense fallback={<Loading />}>
      <Routes>
        <Route path="/" element={<ServersPage />} />
        <Route path="/servers/:gatewayId" element={<ServerPage />} />
        <Route path="/servers/:gatewayId/sessions/:sessionId" element={<TerminalPage />} />
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
