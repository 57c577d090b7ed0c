import ts from 'typescript';
import { expect, test } from 'vitest';
import type { Source } from '../../test-sources';
import { sources } from '../../test-sources';
import en from './en.json';

/** Attributes and properties whose text people read or hear. */
const SPOKEN = new Set(['aria-label', 'aria-description', 'aria-roledescription', 'aria-valuetext', 'title', 'alt', 'placeholder', 'label', 'hint', 'error', 'accessibleName', 'errorMessage', 'description', 'textValue']);
/** Two words in a row, the first with a capital: a sentence. */
const SENTENCE = /^\s*[A-Z][a-z]+(?:['’][a-z]+)? [a-z]+/;
const LETTERS = /\p{L}{2}/u;

/** Not of the page: the practice telephone of the demonstration, what only tests and the gallery's own data say, and what an administrator starts from in each language. */
const isOfPage = ({ path }: Source) => !/^simulator\/|\.test\.|^test-|fixtures\.ts$|first-prompts\.ts$|^gallery\//.test(path);

/** Names that are the same in every language. */
const NAMES = new Set(['English', 'Español', 'Français', 'Deutsch']);

function isText(node: ts.StringLiteralLike | ts.JsxText): boolean {
  if (NAMES.has(node.text)) return false;
  if (ts.isJsxText(node)) return LETTERS.test(node.text);
  const { parent } = node;
  if (ts.isImportDeclaration(parent) || ts.isLiteralTypeNode(parent)) return false;
  if (ts.isNewExpression(parent)) return false;
  const name = ts.isJsxAttribute(parent) || ts.isPropertyAssignment(parent) ? parent.name.getText() : '';
  if (SPOKEN.has(name) && parent.getChildren().at(-1) === node) return LETTERS.test(node.text) && !(node.text in en);
  return SENTENCE.test(node.text);
}

function textsOf({ path, text }: Source): string[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS);
  const found: string[] = [];
  const visit = (node: ts.Node) => {
    if ((ts.isStringLiteralLike(node) || ts.isJsxText(node)) && isText(node)) {
      found.push(`${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}: ${node.text.trim()}`);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

test('the scan finds what would be on screen in English only', () => {
  const text = `export const a = <p title="Say it">Hello there <T id="app.name" /></p>; const b = { label: 'Card' }; const c = 'Do not ask'; const d = { label: 'app.name' };`;
  expect(textsOf({ path: 'a.tsx', text })).toEqual(['a.tsx:1: Say it', 'a.tsx:1: Hello there', 'a.tsx:1: Card', 'a.tsx:1: Do not ask']);
});

test('every text on screen is in the catalogue', () => {
  const files = sources(/\.tsx?$/).filter(isOfPage);
  expect(files.length).toBeGreaterThan(40);
  expect(files.flatMap(textsOf)).toEqual([]);
});
