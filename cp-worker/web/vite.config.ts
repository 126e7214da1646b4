// How the web app is built, tested and, against a running control plane, served while one edits.

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { loadEnv } from "vite";
import { defineConfig } from "vitest/config";

export default defineConfig(({ mode }) => {
  // The control plane that `npm run dev` talks to. It checks that the origin is its own.
  const { CHATCODE_URL: target = "http://127.0.0.1:8787" } = loadEnv(mode, ".", "CHATCODE_");
  return {
    plugins: [react(), tailwindcss()],
    resolve: { alias: { "@": new URL("./src", import.meta.url).pathname } },
    build: {
      target: "es2022",
      // xterm.js is half of the bundle and changes rarely: let browsers keep it.
      rollupOptions: {
        output: { manualChunks: { xterm: ["@xterm/xterm", "@xterm/addon-webgl"] } },
      },
    },
    server: {
      host: "127.0.0.1",
      proxy: { "/api": { target, ws: true, changeOrigin: true, headers: { origin: target } } },
    },
    test: { include: ["src/**/*.test.ts"], environment: "node" },
  };
});
