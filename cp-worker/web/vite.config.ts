// How the web app is built, tested and, against a running control plane, served while one edits.

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { loadEnv } from "vite";
import { defineConfig } from "vitest/config";
import { serviceWorker } from "./service-worker/plugin";

export default defineConfig(({ mode }) => {
  // The control plane that `npm run dev` talks to. It checks that the origin is its own.
  const { CHATCODE_URL: target = "http://127.0.0.1:8787" } = loadEnv(mode, ".", "CHATCODE_");
  return {
    plugins: [react(), tailwindcss(), serviceWorker()],
    resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
    build: {
      target: "es2022",
      // Our Content-Security-Policy allows no font from a data: address.
      assetsInlineLimit: 0,
      // xterm.js is half of the bundle and changes rarely: let browsers keep it.
      rollupOptions: {
        input: { index: "index.html", landing: "landing.html", sw: "service-worker/sw.js" },
        output: {
          // A service worker is found by its address.
          entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js"),
          manualChunks: { xterm: ["@xterm/xterm", "@xterm/addon-webgl"] },
        },
      },
    },
    server: {
      host: "127.0.0.1",
      proxy: { "/api": { target, ws: true, changeOrigin: true, headers: { origin: target } } },
    },
    test: { include: ["src/**/*.test.ts"], environment: "node" },
  };
});
