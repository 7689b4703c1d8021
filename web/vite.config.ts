import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

const backend = process.env.LEADLINE_DEV_BACKEND ?? 'http://127.0.0.1:8080';

/** Has the first script compiled as a whole while it comes, beside the page's thread, and not there bit by bit. */
const compiledAtOnce: Plugin = {
  name: 'compiled-at-once',
  generateBundle: {
    // The words count in the first line only, and Vite writes its own there.
    order: 'post',
    handler(_, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === 'chunk' && file.isEntry) file.code = `//# allFunctionsCalledOnLoad\n${file.code}`;
      }
    },
  },
};

export default defineConfig({
  plugins: [react(), compiledAtOnce],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: 'dist',
    // The content security policy allows fonts and scripts from the server only, never from data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      output: {
        // What every page begins with comes as one file: asking for thirty costs more than any of them saves.
        codeSplitting: { groups: [{ name: 'first', tags: ['$initial'] }] },
      },
    },
  },
  server: {
    // The widget's preview is drawn by the embed script's own code.
    fs: { allow: ['.', '../embed/src'] },
    proxy: {
      '/v1': backend,
      '^/f/': backend,
      '/webhooks': backend,
      '/docs': backend,
      '/embed.js': backend,
      '^/w/': backend,
      '^/chat/': backend,
    },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/test-setup.ts'],
  },
});
