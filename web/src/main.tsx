import '@fontsource-variable/inter/wght.css';
import './app/mantine.css';
import './app/global.css';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { makeQueryClient } from './app/queryClient';
import { makeRouter } from './app/router';
import { cssVariables, styleNonce, theme } from './app/theme';
import { ToastPlace } from './ui/toast';

// The scroll lock of dialogs adds a style element; it must carry the nonce as Mantine's own do.
setNonce(styleNonce());

const client = makeQueryClient(() => {
  const { pathname, href } = router.state.location;
  if (pathname === '/sign-in' || pathname === '/setup' || pathname === '/invitation') return;
  void router.navigate({ to: '/sign-in', search: { next: href } });
});
const router = makeRouter(client);
const colorSchemes = localStorageColorSchemeManager({ key: 'leadline-color-scheme' });

// The script of the page that is opened comes beside the session, and not after it.
for (const match of router.matchRoutes(router.latestLocation)) {
  const routeId = match.routeId as keyof typeof router.routesById;
  void router.routesById[routeId].options.component?.preload?.();
}

const container = document.getElementById('root');
if (!container) throw new Error('index.html has no root element');
createRoot(container).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <MantineProvider
        theme={theme}
        cssVariablesResolver={cssVariables}
        colorSchemeManager={colorSchemes}
        defaultColorScheme="auto"
        getStyleNonce={styleNonce}
      >
        <ToastPlace />
        <RouterProvider router={router} />
      </MantineProvider>
    </QueryClientProvider>
  </StrictMode>,
);
