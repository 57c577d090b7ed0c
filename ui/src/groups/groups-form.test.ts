import { expect, test } from 'vitest';
import { groupsOf, namesOf, toAdd, withName } from './groups-form';

test('names stand between commas, and one more is added behind them', () => {
  expect(namesOf(' Sales, ,VIP ,')).toEqual(['Sales', 'VIP']);
  expect(namesOf('')).toEqual([]);
  expect(withName(' Sales ,', 'Night shift')).toBe('Sales, Night shift');
  expect(withName('', 'VIP')).toBe('VIP');
});

test('a group is in use once, whatever its case, and is offered while it is not written', () => {
  const inUse = groupsOf([{ groups: ['VIP', 'Sales'] }, { groups: [] }, { groups: ['sales'] }]);
  expect(inUse).toEqual(['sales', 'VIP']);
  expect(toAdd('SALES', inUse)).toEqual(['VIP']);
  expect(toAdd('', inUse)).toEqual(inUse);
});
