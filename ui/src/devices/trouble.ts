/** Owns: why microphone or screen cannot be used, before anything is asked for and after. */
import { isFramed } from '../lib/framed';

export type Feature = 'microphone' | 'display-capture';
export type Trouble = 'insecure' | 'not_allowed_here' | 'refused' | 'no_device' | 'busy' | 'failed';

type Policy = { allowsFeature: (feature: string) => boolean };
type PolicyDocument = { permissionsPolicy?: Policy; featurePolicy?: Policy };

/** What the page around a frame lets it use; undefined: this browser does not say. */
function isAllowed(feature: Feature): boolean | undefined {
  const { permissionsPolicy, featurePolicy } = document as PolicyDocument;
  return (permissionsPolicy ?? featurePolicy)?.allowsFeature(feature);
}

/** What stands in the way whatever the user says. */
export function troubleBefore(feature: Feature): Trouble | undefined {
  if (!window.isSecureContext || !('mediaDevices' in navigator)) return 'insecure';
  return isAllowed(feature) === false ? 'not_allowed_here' : undefined;
}

/** What a refusal means. */
export function troubleOf(error: unknown, feature: Feature): Trouble {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return isAllowed(feature) === undefined && isFramed() ? 'not_allowed_here' : 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'no_device';
    case 'NotReadableError':
    case 'AbortError':
      return 'busy';
    default:
      return 'failed';
  }
}
