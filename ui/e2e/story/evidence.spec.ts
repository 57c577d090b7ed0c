/** What supervisors and auditors read, and what leaves as a file. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { PROGRAM, expect, test } from './demo';
import { Desk, TITLES } from './desk';

test.use({ story: 'evidence' });

test('the evidence of a capture is signed, verified without the server, and no longer once a character is changed', async ({ desk, demo, browser, shot }, info) => {
  await desk.open(TITLES.cardBasic);
  await desk.capture('number');
  await desk.discard();
  const context = await browser.newContext({ baseURL: demo.page });
  const auditor = new Desk(await context.newPage(), demo);
  await auditor.signIn('auditor', '/audit?action=field_obtained');
  const object = await auditor.page.getByRole('row', { name: /Field obtained/ }).first().getByText(/^capture /).textContent();
  await auditor.page.goto(`/audit?object=${encodeURIComponent(object ?? '')}`);
  const keep = async (press: () => Promise<void>, name: string) => {
    const download = auditor.page.waitForEvent('download');
    await press();
    const path = info.outputPath(name);
    await (await download).saveAs(path);
    return path;
  };
  const evidence = await keep(() => auditor.button('Evidence of this capture').click(), 'evidence.json');
  const keys = await keep(() => auditor.page.getByRole('link', { name: 'Public keys of evidence' }).click(), 'keys.json');
  await shot('audit-evidence', auditor.page);
  const verify = (file: string) => spawnSync(PROGRAM, ['verify', file, '--keys', keys], { encoding: 'utf8' });
  const verified = verify(evidence);
  expect([verified.status, verified.stderr]).toEqual([0, '']);
  expect(verified.stdout).toMatch(new RegExp(`^VERIFIED: ${object}, \\d+ entries, ended; exported .* by auditor\n`));
  for (const action of ['capture_opened', 'capture_armed', 'field_obtained', 'capture_ended', 'evidence_exported']) expect(verified.stdout).toContain(` ${action}`);
  await auditor.page.getByRole('link', { name: 'Read and print' }).click();
  await expect(auditor.page.getByRole('region', { name: 'Recorders, by their own word' })).toBeVisible();
  await expect(auditor.page.getByRole('region', { name: 'Entries of the audit trail' }).getByRole('listitem').last()).toContainText('Evidence exported');
  await shot('evidence', auditor.page);
  const read = await keep(() => auditor.button('Save the signed file').click(), 'read.json');
  expect(verify(read).stdout).toMatch(/^VERIFIED: /);
  const text = await readFile(evidence, 'utf8');
  const changed = text.replace(/"payload":"(.{40})(.)/, (_, before: string, at: string) => `"payload":"${before}${at === 'A' ? 'B' : 'A'}`);
  expect(changed).not.toBe(text);
  await writeFile(evidence, changed);
  const refused = verify(evidence);
  expect([refused.status, refused.stdout]).toEqual([1, `${evidence}: NOT VERIFIED: the signature does not fit: it was changed, or signed by somebody else\n`]);
  await context.close();
});

test('l4 an auditor sees that the chains fit, takes the day out as lines, and sees where a chain was broken behind the server', async ({ page, desk, demo, shot }) => {
  await desk.signIn('auditor', '/audit');
  await expect(page.getByText(/^Chain verified to #\d+ at \d\d:\d\d:\d\d$/)).toBeVisible();
  await expect(page.getByRole('row', { name: /Desktop saved/ })).toContainText('desktop Demo desktop');
  await page.getByRole('textbox', { name: 'Actor' }).fill('auditor');
  await page.getByRole('button', { name: 'Search' }).click();
  await expect(page.getByRole('row', { name: /Signed in/ }).first()).toContainText('127.0.0.1');
  await expect(page.getByRole('row', { name: /Desktop saved/ })).toHaveCount(0);
  await shot('audit');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export these days (JSON lines)' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^audit-\d{4}-\d\d-\d\d\.jsonl$/);
  const lines = (await readFile(await file.path(), 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as { document: string; hash: string });
  expect(lines.at(-1)?.document).toContain('"action":"audit_exported"');
  expect(lines.every(({ hash }) => /^[0-9a-f]{64}$/.test(hash))).toBe(true);

  const forge = "UPDATE audit_entries SET document = REPLACE(document, 'Demo desktop', 'Other desktop') WHERE action = 'desktop_saved'";
  execFileSync('python3', ['-c', 'import sqlite3, sys; store = sqlite3.connect(sys.argv[1]); store.execute(sys.argv[2]); store.commit()', demo.database, forge]);
  await page.getByRole('button', { name: 'Verify again' }).click();
  await expect(page.getByRole('alert')).toContainText(/The chain is BROKEN: entry #\d+/);
  await shot('audit-broken');
});

test('s15 a supervisor takes payments out as a file, and that is in the trail', async ({ page, desk, demo, browser }) => {
  await desk.signIn('supervisor', '/payments?days=week');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export CSV' }).click();
  const text = await readFile(await (await download).path(), 'utf8');
  expect(text).toBe('\uFEFF"time","reference","outcome","reason","amount","currency","widget","brand","last_four","agent","desktop","message","call","attempt","changed","voided","refunded","captured","total","plan","stored"\r\n');
  const context = await browser.newContext({ baseURL: demo.page });
  const auditor = new Desk(await context.newPage(), demo);
  await auditor.signIn('auditor', '/audit?action=payments_exported');
  await expect(auditor.page.getByRole('row', { name: /Payments exported/ })).toContainText('supervisor');
  await context.close();
});
