/** Types of requests and of answers, as they are offered (SETTLED S18). */
import type { ContentType } from '../lib/api/types';

export const REQUEST_TYPES: readonly ContentType[] = ['application/json', 'application/x-www-form-urlencoded', 'application/xml', 'text/xml'];
export const RESPONSE_TYPES: readonly ContentType[] = [...REQUEST_TYPES, 'text/plain'];
