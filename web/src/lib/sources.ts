/** The types of sources, as screens name them. */
export const SOURCES = [
  { value: 'form', label: 'Form' },
  { value: 'webhook', label: 'Webhook' },
  { value: 'manual', label: 'Manual' },
  { value: 'import', label: 'Import' },
  { value: 'api', label: 'API' },
];

export const sourceLabel = (source: string) => SOURCES.find(({ value }) => value === source)?.label ?? source;
