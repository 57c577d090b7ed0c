import { screen } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import type { Desktop } from '../lib/api/types';
import { fakeServer, loginOf, renderPage } from '../test-page';
import DesktopHistoryPage from './desktop-history';

afterEach(() => vi.unstubAllGlobals());

const desktop = (revision: number, design: string | null): Desktop => ({ id: 'd1', name: 'Sales', service: 'designer', layout: 'designer', widgets: [], design, revision });
const revision = (of: Desktop) => ({ desktop: of, saved_at: 0, saved_by: 'm.lee' });

test('s7 the comparison of two revisions names the designer desktops that they use', async () => {
  fakeServer(({ path }) => {
    const answers: Record<string, unknown> = {
      '/desktops/d1': { ...revision(desktop(2, 'g1')), passwords_set: [], secrets_set: [], agents: 0, standing: { state: 'live', reasons: [] } },
      '/desktops/d1/history': {
        revisions: [
          { revision: 2, saved_at: 0, saved_by: 'm.lee', changed: [{ what: 'design', title: '' }] },
          { revision: 1, saved_at: 0, saved_by: 'm.lee', changed: [] },
        ],
        more: false,
      },
      '/desktops/d1/history/2': revision(desktop(2, 'g1')),
      '/desktops/d1/history/1': revision(desktop(1, 'gone')),
      '/designer-desktops': { designs: [{ design: { id: 'g1', name: 'Billing', tiles: [], revision: 1 }, used_by: ['Sales'] }], frame_hosts: [] },
    };
    return { json: answers[path] };
  });
  renderPage(<DesktopHistoryPage id="d1" login={loginOf('desktop.edit')} />);
  expect(await screen.findByRole('row', { name: /Designer desktop deleted Billing$/ })).toBeVisible();
});
