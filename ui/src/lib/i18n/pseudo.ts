/**
 * Owns: the pseudo-locale, a text that reads as English and is as long as other languages are.
 * Never: touches arguments, plural rules or selections.
 */
import type { MessageFormatElement } from '@formatjs/icu-messageformat-parser';
import { TYPE, parse } from '@formatjs/icu-messageformat-parser';

/** Longest of the common growths of short English texts in translation (IBM's table: 30 to 40 % over 20 characters). */
const GROWTH = 0.4;
const PLAIN = 'AaCcEeIiNnOoSsUuYyZz';
const ACCENTED = 'ÅåÇçÉéÎîÑñÖöŠšÛûÝýŽž';

/** Every message of a catalogue in brackets, accented and lengthened. */
export function pseudo(catalogue: Record<string, string>): Record<string, MessageFormatElement[]> {
  return Object.fromEntries(Object.entries(catalogue).map(([id, text]) => [id, pseudoMessage(text)]));
}

function pseudoMessage(text: string): MessageFormatElement[] {
  const literal = (value: string): MessageFormatElement => ({ type: TYPE.literal, value });
  return [literal('['), ...parse(text).map(grown), literal(']')];
}

function grown(element: MessageFormatElement): MessageFormatElement {
  switch (element.type) {
    case TYPE.literal:
      return { ...element, value: lengthened(element.value) };
    case TYPE.plural:
    case TYPE.select: {
      const options = Object.entries(element.options).map(([name, option]) => [name, { ...option, value: option.value.map(grown) }] as const);
      return { ...element, options: Object.fromEntries(options) };
    }
    default:
      return element;
  }
}

/** Each word by itself, so that a text breaks where it would. */
function lengthened(text: string): string {
  const letters = text.replace(/[A-Za-z]/g, (letter) => ACCENTED[PLAIN.indexOf(letter)] ?? letter);
  return letters.replace(/\S+/g, (word) => word + '~'.repeat(Math.ceil(word.length * GROWTH)));
}
