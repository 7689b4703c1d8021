import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { isAnothers, startOver } from '@/api/client';
import { applyJobHint } from '@/api/jobs';
import { MESSAGING } from '@/api/messaging';
import type { ContactHint, DeliveryHint, JobHint, LeadHint, TaskHint } from '@/api/shapes';
import { applyLeadHints } from '@/features/leads/queries';
import { setLiveConnected } from '@/lib/live';

const QUIET_MS = 400;
const RECONNECT_MS = 5_000;
/** What happens to leads that somebody may be told of. */
const TELLS_SOMEBODY = ['lead.assigned', 'lead.re_engaged', 'lead.response_overdue', 'lead.response_escalated'];

function parsed<T>(event: MessageEvent<string>): T | null {
  try {
    return JSON.parse(event.data) as T;
  } catch {
    return null;
  }
}

/** Follows the live stream while the shell is shown. Answers the server's version when it is not the page's own. */
export function useLive(pageVersion: string): string | null {
  const client = useQueryClient();
  const [otherVersion, setOtherVersion] = useState<string | null>(null);

  useEffect(() => {
    let leads: LeadHint[] = [];
    let deliveries: DeliveryHint[] = [];
    let campaignsChanged = false;
    let timer: ReturnType<typeof setTimeout> | null = null;
    let source: EventSource | null = null;
    let reconnect: ReturnType<typeof setTimeout> | null = null;
    let wasConnected = false;

    const refreshAll = () => void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'session' });

    const flush = async () => {
      timer = null;
      // A write of ours is under way: its answer first, or the card would jump back for a moment.
      if (client.isMutating() > 0) return schedule();
      const [leadHints, deliveryHints] = [leads, deliveries];
      leads = [];
      deliveries = [];
      if (deliveryHints.length > 0) {
        void import('@/features/destinations/queries').then(({ applyDeliveryHints }) =>
          applyDeliveryHints(client, deliveryHints),
        );
      }
      if (campaignsChanged) {
        campaignsChanged = false;
        void client.invalidateQueries({ queryKey: ['campaigns'] });
      }
      // A failed refresh is no loss: the next hint or the poll brings it.
      await applyLeadHints(client, leadHints).catch(() => undefined);
      if (leadHints.length > 0) {
        void client.invalidateQueries({ queryKey: ['captures'] });
        void client.invalidateQueries({ queryKey: ['conversations'] });
        void client.invalidateQueries({ queryKey: ['automations'] });
        // Whoever came or changed may be in other segments now.
        void client.invalidateQueries({ queryKey: ['segments', 'count'] });
      }
      if (leadHints.some(({ kind }) => TELLS_SOMEBODY.includes(kind))) {
        void client.invalidateQueries({ queryKey: ['alerts', 'personal'] });
      }
    };
    function schedule() {
      timer ??= setTimeout(() => void flush(), QUIET_MS);
    }

    const open = () => {
      source = new EventSource('/v1/live');
      source.addEventListener('hello', (event) => {
        const hello = parsed<{ version: string; workspaceId?: string; userId?: string }>(event);
        if (hello && isAnothers(hello.userId, hello.workspaceId)) return startOver();
        setOtherVersion(hello && hello.version !== pageVersion ? hello.version : null);
        setLiveConnected(true);
        // What happened while disconnected was not heard.
        if (wasConnected) refreshAll();
        wasConnected = true;
      });
      // The server had more to tell than it could keep for this screen.
      source.addEventListener('resync', refreshAll);
      source.addEventListener('lead', (event) => {
        const hint = parsed<LeadHint>(event);
        if (hint) leads.push(hint);
        schedule();
      });
      source.addEventListener('delivery', (event) => {
        const hint = parsed<DeliveryHint>(event);
        if (hint) deliveries.push(hint);
        schedule();
      });
      source.addEventListener('contact', (event) => {
        const hint = parsed<ContactHint>(event);
        if (hint) void client.invalidateQueries({ queryKey: ['contacts'] });
        void client.invalidateQueries({ queryKey: ['segments', 'count'] });
      });
      source.addEventListener('alert', () => {
        void client.invalidateQueries({ queryKey: ['alerts'] });
        void client.invalidateQueries({ queryKey: ['destinations', 'list'] });
        void client.invalidateQueries({ queryKey: ['sources', 'health'] });
      });
      source.addEventListener('task', (event) => {
        const hint = parsed<TaskHint>(event);
        void client.invalidateQueries({ queryKey: ['tasks'] });
        void client.invalidateQueries({ queryKey: ['alerts', 'personal'] });
        if (hint?.leadId) void client.invalidateQueries({ queryKey: ['leads', 'detail', hint.leadId] });
      });
      source.addEventListener('message', () => {
        void client.invalidateQueries({ queryKey: [MESSAGING] });
        void client.invalidateQueries({ queryKey: ['conversations'] });
        void client.invalidateQueries({ queryKey: ['automations'] });
      });
      source.addEventListener('campaign', () => {
        campaignsChanged = true;
        schedule();
      });
      source.addEventListener('replay', () => {
        void client.invalidateQueries({ queryKey: ['destinations'] });
      });
      source.addEventListener('job', (event) => {
        const hint = parsed<JobHint>(event);
        if (hint) applyJobHint(client, hint);
      });
      source.addEventListener('session', () => {
        void client.invalidateQueries({ queryKey: ['session'] });
      });
      source.addEventListener('scoring', () => {
        void client.invalidateQueries({ queryKey: ['settings', 'scoring'] });
      });
      source.onerror = () => {
        setLiveConnected(false);
        if (source?.readyState === EventSource.CLOSED) {
          // Refused: the session is over, or the role does not see leads any more. Whatever is asked next tells.
          refreshAll();
          reconnect = setTimeout(open, RECONNECT_MS);
        }
      };
    };
    open();
    return () => {
      source?.close();
      if (timer) clearTimeout(timer);
      if (reconnect) clearTimeout(reconnect);
      setLiveConnected(false);
    };
  }, [client, pageVersion]);

  return otherVersion;
}
