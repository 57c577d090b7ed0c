import { screen, within } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { useState } from 'react';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ButtonView } from '../lib/api/types';
import { chooseLanguage } from '../lib/i18n/catalogue';
import { atField } from '../lib/capture/fixtures';
import { Prompt } from '../lib/capture/shared-body';
import { ControlButtons } from '../agent/control-buttons';
import { renderPage } from '../test-page';
import type { DesktopDraft, WidgetDraft } from './desktop-form';
import { draftOf, formOf, newWidget } from './desktop-form';
import { FIRST_PROMPTS } from './first-prompts';
import { PromptInputs } from './prompt-inputs';

afterEach(() => chooseLanguage('en'));

const RIGHTS = { messages: true, gateway: true, password: true };
const sent = (widget: WidgetDraft) => {
  const desktop: DesktopDraft = { name: 'Sales', service: 'standard', layout: 'agent_panel', revision: 1, widgets: [widget] };
  return formOf(desktop).widgets?.[0];
};

function edit(first: WidgetDraft, errors = {}) {
  const onChange = vi.fn<(draft: WidgetDraft) => void>();
  function Editor() {
    const [draft, setDraft] = useState(first);
    const change = (next: Partial<WidgetDraft>) => {
      setDraft({ ...draft, ...next });
      onChange({ ...draft, ...next });
    };
    return <PromptInputs draft={draft} errors={errors} onChange={change} may={RIGHTS} responseVariables={{ allow: 'all' }} />;
  }
  renderPage(<Editor />);
  return onChange;
}

async function choose(language: RegExp) {
  await userEvent.click(screen.getByRole('button', { name: /Language of the texts/ }));
  await userEvent.click(screen.getByRole('option', { name: language }));
}

describe('texts in each language', () => {
  test('s6 a new widget has prompts in every language, its own in English', () => {
    const widget = sent(newWidget('credit_card_basic', 'Card', false));
    expect(widget?.prompts[0]).toEqual({ field: 'card_number', text: FIRST_PROMPTS.en.card_number });
    expect(Object.keys(widget?.translations ?? {})).toEqual(['es', 'fr', 'de']);
    expect(widget?.translations?.de?.prompts?.map(({ text }) => text)).toEqual([FIRST_PROMPTS.de.card_number, FIRST_PROMPTS.de.expiry, FIRST_PROMPTS.de.security_code]);
  });

  test('the editor counts what each language has, marks what is missing and sends what was written', async () => {
    const onChange = edit(newWidget('check_basic', 'Bank', false));
    await userEvent.click(screen.getByRole('button', { name: /Language of the texts/ }));
    expect(screen.getAllByRole('option').map((option) => option.textContent)).toEqual([
      'All languages', 'English: 0 of 3 texts', 'Español: 2 of 3 texts', 'Français: 2 of 3 texts', 'Deutsch: 2 of 3 texts',
    ]);
    await userEvent.keyboard('{Escape}');
    await choose(/Deutsch/);
    const title = screen.getByRole('textbox', { name: 'Window Title (Deutsch)' });
    expect(title).toHaveAccessibleDescription('Missing. Agents read: “Bank”');
    await userEvent.type(title, 'Konto');
    expect(title).not.toHaveAccessibleDescription();
    await userEvent.clear(screen.getByRole('textbox', { name: 'Check Account Text (Deutsch)' }));
    const form = sent(onChange.mock.lastCall?.[0] ?? newWidget('check_basic', '', false));
    expect(form?.translations?.de).toEqual({ title: 'Konto', prompts: [{ field: 'routing_number', text: FIRST_PROMPTS.de.routing_number }] });
  });

  test('what the server refuses opens that language, and stands at its input', () => {
    edit(newWidget('check_basic', 'Bank', false), { 'translations.fr.prompts.routing_number': 'Too long.' });
    expect(screen.getByRole('textbox', { name: 'Check Routing Text (Français)' })).toHaveAccessibleDescription('Too long.');
    expect(screen.getByRole('button', { name: /Language of the texts/ })).toHaveTextContent('Français: 2 of 3 texts, needs correction');
  });

  test('stored texts come back as they were', () => {
    const form = sent(newWidget('check_basic', 'Bank', false));
    const widget = { ...form!, id: 'w1', enabled: false, card_types: [], options: newWidget('check_basic', '', false).options, gateway: null, translations: { es: { title: 'Cuenta', prompts: [] } } };
    const view = { desktop: { id: 'd1', name: 'Sales', service: 'standard' as const, layout: 'agent_panel' as const, revision: 1, widgets: [widget] }, passwords_set: [], secrets_set: [] };
    const again = draftOf(view, () => true).widgets[0];
    expect(again && sent(again)?.translations).toEqual({ es: { title: 'Cuenta', prompts: [] } });
  });
});

test('an agent reads title and prompt in the own language, else as they were written', async () => {
  const view = atField('credit_card_basic', 'card_number', { state: 'waiting', prompt: 'Key it.', prompts: { de: 'Bitte eingeben.' } });
  const buttons: ButtonView[] = [
    { widget: 'w1', kind: 'credit_card_basic', title: 'Card', titles: { de: 'Karte' }, disabled: null },
    { widget: 'w2', kind: 'credit_card_advanced', title: 'Other', titles: {}, disabled: null },
  ];
  renderPage(
    <>
      <Prompt view={view} />
      <ControlButtons buttons={buttons} online waiting={false} keyboard={false} onOpen={vi.fn()} />
    </>,
  );
  expect(screen.getByText('Key it.')).toBeVisible();
  await chooseLanguage('de');
  expect(await screen.findByText('Bitte eingeben.')).toBeVisible();
  await userEvent.click(screen.getByRole('button', { name: /Kreditkarte/ }));
  expect(within(screen.getByRole('menu')).getAllByRole('menuitem').map((item) => item.textContent)).toEqual(['Karte', 'Other']);
  await userEvent.keyboard('{Escape}');
  await chooseLanguage('fr');
  expect(await screen.findByText('Key it.')).toBeVisible();
});
