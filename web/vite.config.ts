import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const backend = process.env.LEADLINE_DEV_BACKEND ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    outDir: 'dist',
    // The content security policy allows fonts and scripts from the server only, never from data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    // What every page begins with comes as one file: asking for thirty costs more than any of them saves.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'first', tags: ['$initial'] }] } } },
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
