import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AutomationLine } from '@/api/shapes';
import { AutomationTimeline } from './AutomationTimeline';

vi.mock('@/ui/RouteLink', () => ({ RouteLink: ({ children }: { children: unknown }) => <>{children}</> }));
vi.mock('@/api/session', () => ({ usePermits: () => ({ why: () => undefined, can: () => true }) }));
afterEach(cleanup);

const line = (part: Partial<AutomationLine>): AutomationLine => ({
  id: crypto.randomUUID(),
  event: 'step_sent',
  title: 'Step sent',
  icon: 'check',
  automationId: 'a',
  automationName: 'Welcome',
  runId: 'r',
  step: 1,
  channel: 'whatsapp',
  fromChannel: null,
  deliveryStatus: null,
  reason: null,
  reasonWords: null,
  error: null,
  canRetry: false,
  actorName: 'Welcome',
  at: new Date().toISOString(),
  ...part,
});

function show(lines: AutomationLine[]) {
  const client = new QueryClient({
    defaultOptions: { queries: { retry: false, staleTime: Number.POSITIVE_INFINITY } },
  });
  client.setQueryData(['automations', 'timeline', 'lead'], lines);
  return render(
    <MantineProvider>
      <QueryClientProvider client={client}>
        <AutomationTimeline leadId="lead" />
      </QueryClientProvider>
    </MantineProvider>,
  );
}

describe('what automations did for a lead', () => {
  it('is not there where none did anything', () => {
    show([]);

    expect(screen.queryByRole('region', { name: 'Automations' })).toBeNull();
  });

  it('shows each line with how its message fares, and a retry where one is of use', () => {
    show([
      line({ deliveryStatus: 'Read' }),
      line({
        event: 'step_failed',
        title: 'Step failed',
        error: 'not on WhatsApp',
        deliveryStatus: 'Failed',
        canRetry: true,
      }),
      line({ event: 'fallback', title: 'Fallback', channel: 'sms', fromChannel: 'whatsapp' }),
      line({ event: 'skipped', title: 'Automation skipped', step: null, channel: null, reasonWords: 'Safety lock' }),
    ]);

    const [sent, failed, fallback, skipped] = screen.getAllByRole('listitem');
    expect(sent?.textContent).toContain('Step 1 sent · WhatsApp');
    expect(sent?.textContent).toContain('Read');
    expect(failed?.textContent).toContain('not on WhatsApp');
    expect(failed?.querySelector('button')?.textContent).toBe('Retry');
    expect(fallback?.textContent).toContain('Fallback from WhatsApp to SMS');
    expect(skipped?.textContent).toContain('Automation skipped');
    expect(skipped?.textContent).toContain('Safety lock');
    expect(screen.getAllByRole('button', { name: 'Retry' })).toHaveLength(1);
  });
});
