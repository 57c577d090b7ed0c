import { afterEach, expect, test } from 'vitest';
import { chooseLanguage } from '../i18n/catalogue';
import { ApiError, sentenceOf } from './client';

const problem = (code: string, detail = 'Title') => new ApiError({ title: 'Title', detail, status: 409, code });

afterEach(() => chooseLanguage('en'));

test('a problem is told in the language of the page by its code, else as the server tells it', async () => {
  expect(sentenceOf(problem('busy'))).toBe('The server is busy. Try again in a few seconds.');
  await chooseLanguage('de');
  expect(sentenceOf(problem('busy'))).toBe('Der Server ist überlastet. Versuchen Sie es in einigen Sekunden erneut.');
  expect(sentenceOf(problem('something_new', 'It says so.'))).toBe('It says so.');
  expect(sentenceOf(new Error('plain'))).toBe('plain');
});

test('what is particular stays: in English as the server says it, elsewhere where it names something', async () => {
  expect(sentenceOf(problem('in_use', 'used by the service Sales'))).toBe('used by the service Sales');
  await chooseLanguage('fr');
  expect(sentenceOf(problem('in_use', 'used by the service Sales'))).toBe('C’est encore utilisé. (used by the service Sales)');
  expect(sentenceOf(problem('wrong_state', 'Not possible while collecting'))).toBe('Ce n’est pas possible maintenant.');
});
