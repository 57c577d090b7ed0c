import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Words } from '../lib/i18n';
import { chooseLanguage } from '../lib/i18n/catalogue';
import '../lib/theme/tokens.css';
import '../lib/theme/base.css';
import { SimulatorPage } from './simulator-page';

const root = document.getElementById('root');
if (root) {
  await chooseLanguage('en');
  createRoot(root).render(
    <StrictMode>
      <Words>
        <SimulatorPage />
      </Words>
    </StrictMode>,
  );
}
