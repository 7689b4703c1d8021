import type { Destination, DestinationInput } from '@/api/shapes';
import { type AccessValues, accessInputOf, accessValuesOf } from './access';
import { type ConversionValues, conversionsInputOf, conversionValuesOf, platformOf } from './conversions';
import { FORMATS } from './formats';

/** A number as a field holds it: empty where there is none. */
type NumberValue = number | '';

/** What the form of a destination holds. */
export interface DestinationValues {
  name: string;
  url: string;
  events: string[];
  format: string;
  template: string;
  contentType: string;
  method: string;
  retryPlan: string;
  projectId: string;
  headers: string;
  sources: string[];
  tags: string[];
  stageIds: string[];
  minScore: NumberValue;
  maxSuspicion: NumberValue;
  duplicateWindowMinutes: NumberValue;
  reengageAfterHours: NumberValue;
  includesTests: boolean;
  inDevelopment: boolean;
  timeoutSeconds: NumberValue;
  maxInFlight: NumberValue;
  requestsPerMinute: NumberValue;
  inOrder: boolean;
  conversions: ConversionValues;
  access: AccessValues;
}

export const DEFAULT_IN_FLIGHT = 8;

export function valuesOf(destination: Destination | undefined): DestinationValues {
  const filter = destination?.filter;
  return {
    name: destination?.name ?? '',
    url: destination?.url ?? '',
    events: destination?.events ?? ['lead.created'],
    format: destination?.format ?? FORMATS[0].value,
    template: destination?.template ?? '',
    contentType: destination?.contentType ?? 'json',
    method: destination?.method ?? 'POST',
    retryPlan: destination?.retryPlan ?? 'standard',
    projectId: destination?.projectId ?? '',
    headers: '',
    sources: filter?.sources ?? [],
    tags: filter?.tags ?? [],
    stageIds: filter?.stageIds ?? [],
    minScore: filter?.minScore ?? '',
    maxSuspicion: filter?.maxSuspicion ?? '',
    duplicateWindowMinutes: destination?.duplicateWindowMinutes ?? '',
    reengageAfterHours: destination?.reengageAfterHours ?? '',
    includesTests: destination?.includesTests ?? false,
    inDevelopment: destination?.inDevelopment ?? false,
    timeoutSeconds: destination?.timeoutSeconds ?? '',
    maxInFlight: destination?.maxInFlight ?? DEFAULT_IN_FLIGHT,
    requestsPerMinute: destination?.requestsPerMinute ?? '',
    inOrder: destination?.inOrder ?? false,
    conversions: conversionValuesOf(destination),
    access: accessValuesOf(destination),
  };
}

const numberOf = (value: NumberValue) => (value === '' ? null : value);

/** Lines of "Name: value" as an object; `null` when a line has no colon. */
export function parseHeaders(text: string): Record<string, string> | null {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n').filter((each) => each.trim() !== '')) {
    const at = line.indexOf(':');
    if (at < 1) return null;
    headers[line.slice(0, at).trim()] = line.slice(at + 1).trim();
  }
  return headers;
}

/** What is sent for these values. Headers that are not written anew, and a project that stays, are left out. */
export function inputOf(values: DestinationValues, destination: Destination | undefined): DestinationInput {
  const headers = parseHeaders(values.headers) ?? {};
  const isTemplate = values.format === 'template';
  const input: DestinationInput = {
    name: values.name.trim(),
    url: values.url.trim(),
    events: values.events,
    format: values.format,
    contentType: isTemplate ? values.contentType : 'json',
    method: values.method,
    retryPlan: values.retryPlan,
    filter: {
      sources: values.sources,
      // Sources are chosen one by one by the API alone; what was chosen there stays.
      sourceIds: destination?.filter.sourceIds ?? [],
      tags: values.tags,
      stageIds: values.stageIds,
      minScore: numberOf(values.minScore),
      maxSuspicion: numberOf(values.maxSuspicion),
    },
    duplicateWindowMinutes: numberOf(values.duplicateWindowMinutes),
    reengageAfterHours: numberOf(values.reengageAfterHours),
    includesTests: values.includesTests,
    inDevelopment: values.inDevelopment,
    timeoutSeconds: numberOf(values.timeoutSeconds),
    maxInFlight: values.maxInFlight === '' ? DEFAULT_IN_FLIGHT : values.maxInFlight,
    requestsPerMinute: numberOf(values.requestsPerMinute),
    inOrder: values.inOrder,
  };
  if (platformOf(values.format)) {
    // Its events follow from its conversions.
    delete input.events;
    input.conversions = conversionsInputOf(values.conversions);
  }
  Object.assign(input, accessInputOf(values.access, destination));
  if (isTemplate) input.template = values.template;
  if (values.projectId !== (destination?.projectId ?? '')) input.projectId = values.projectId || null;
  if (Object.keys(headers).length > 0) input.headers = headers;
  return input;
}
