import { screen } from '@testing-library/react';
import { expect, test, vi } from 'vitest';
import { renderPage } from '../test-page';
import { sources } from '../test-sources';
import ShortcutsSheet from './shortcuts-sheet';

// What supervisors press stands on its buttons, on a page of their own.
test('the list has every key that the agent’s page listens to, and no other', () => {
  renderPage(<ShortcutsSheet onClose={vi.fn()} />);
  const listed = screen.getAllByRole('term').map((term) => term.textContent);
  const users = sources(/\.tsx$/).filter(({ path, text }) => !/\.test\.|^listen\//.test(path) && text.includes('useShortcuts('));
  const heard = users.flatMap(({ text }) => [...text.matchAll(/['"]((?:(?:Ctrl|Alt|Shift)\+)+\w+)['"]/g)].map(([, key]) => key!));
  expect(users.length).toBeGreaterThan(3);
  expect(listed.filter((key) => key !== 'Esc').sort()).toEqual([...new Set(heard)].sort());
});
