import { QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { newQueryClient } from './lib/api/queries';
import { Words } from './lib/i18n';
import { firstLanguage } from './lib/i18n/catalogue';
import './lib/theme/tokens.css';
import './lib/theme/base.css';
import { applyTheme, keptTheme } from './lib/theme/theme';

applyTheme(keptTheme());
const root = document.getElementById('root');
if (root) {
  await firstLanguage(window.location.search);
  createRoot(root).render(
    <StrictMode>
      <Words>
        <QueryClientProvider client={newQueryClient()}>
          <App />
        </QueryClientProvider>
      </Words>
    </StrictMode>,
  );
}
