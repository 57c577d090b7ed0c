/** How good a line is. Owns: what of a report counts, the bounds of good and weak. Never: asks for a report. */

/** Totals since the line began, at a time of the page's clock. */
export type Totals = { at: number; received: number; lost: number; jitter_ms: number; round_trip_ms: number | undefined };
export type Grade = 'good' | 'weak' | 'bad';
/** Of the time between two looks. `loss`: 0 to 1. */
export type Figures = { grade: Grade; loss: number; jitter_ms: number; round_trip_ms: number | undefined };

/** Up to here speech is as it should be, and up to there it is understood; G.711 conceals a few per cent (ITU-T G.113). */
const BOUNDS = { loss: [0.02, 0.08], jitter_ms: [30, 80], round_trip_ms: [250, 500] } as const;

type Stat = { type: string; kind?: string; timestamp: number } & Record<string, unknown>;

const numberOf = (value: unknown): number | undefined => (typeof value === 'number' ? value : undefined);

/** Nothing while no sound has come. */
export function totalsOf(report: Iterable<Stat>): Totals | undefined {
  const stats = [...report];
  const inbound = stats.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
  if (!inbound) return undefined;
  const pair = stats.find((stat) => stat.type === 'candidate-pair' && stat.nominated === true && numberOf(stat.currentRoundTripTime) !== undefined);
  const trip = numberOf(pair?.currentRoundTripTime);
  return {
    at: inbound.timestamp,
    received: numberOf(inbound.packetsReceived) ?? 0,
    lost: numberOf(inbound.packetsLost) ?? 0,
    jitter_ms: (numberOf(inbound.jitter) ?? 0) * 1_000,
    round_trip_ms: trip === undefined ? undefined : trip * 1_000,
  };
}

/** How it was between two looks; nothing while no packet came, as on hold. */
export function figuresOf(before: Totals, after: Totals): Figures | undefined {
  const received = after.received - before.received;
  if (received <= 0) return undefined;
  const lost = Math.max(0, after.lost - before.lost);
  const { jitter_ms, round_trip_ms } = after;
  const figures = { loss: lost / (received + lost), jitter_ms, round_trip_ms };
  return { ...figures, grade: gradeOf(figures) };
}

function gradeOf(figures: Omit<Figures, 'grade'>): Grade {
  const worst = Math.max(...(['loss', 'jitter_ms', 'round_trip_ms'] as const).map((name) => BOUNDS[name].filter((bound) => (figures[name] ?? 0) > bound).length));
  return (['good', 'weak', 'bad'] as const)[worst] ?? 'bad';
}
