import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import { jobKeys, keepJob, useUndoJob } from '@/api/jobs';
import type { Board, BulkResult, Card, Job, Lead, LeadDetail, SpooledLead } from '@/api/shapes';
import { plural } from '@/lib/text';
import { announce } from '@/ui/announce';
import { toast, toastError, toastUndo } from '@/ui/toast';
import { findCard, isIdleMove, type Move, moveCard, patchCard, removeCards } from './boardCache';
import { leadKeys } from './queries';

const onBoards = (client: QueryClient, change: (board: Board) => Board) =>
  client.setQueriesData<Board>({ queryKey: leadKeys.boards }, (board) => board && change(board));

/** Everything that shows this lead takes over what the server answered. */
function adopt(client: QueryClient, lead: Lead) {
  client.setQueryData<LeadDetail>(leadKeys.detail(lead.id), (old) => old && { ...old, ...lead });
  onBoards(client, (board) => patchCard(board, lead.id, cardPart(lead)));
  void client.invalidateQueries({ queryKey: leadKeys.detail(lead.id) });
  void client.invalidateQueries({ queryKey: leadKeys.lists });
}

function cardPart(lead: Lead): Partial<Card> {
  const { name, email, phone, phoneDisplay, company, title, tags, score, suspicion } = lead;
  const { assignedTo, assignedToName, stageEnteredAt, version } = lead;
  const { quotable, quoteValue, salesValue, closeReason } = lead;
  return {
    name,
    email,
    phone,
    phoneDisplay,
    company,
    title,
    tags,
    score,
    suspicion,
    assignedTo,
    assignedToName,
    stageEnteredAt,
    version,
    quotable,
    quoteValue,
    salesValue,
    closeReason,
  };
}

interface MoveRequest extends Move {
  name: string;
  stageName: string;
  /** Where it was, for the undo; none for a move within its column. */
  from?: { stageId: string; stageName: string; afterLeadId: string | null; reason?: string | null };
  /** Called once the card is drawn in its new place. */
  onShown?: () => void;
}

/** Asks for a new analysis; the live hint brings it in. */
export function useAnalyseLead(leadId: string) {
  return useMutation({
    mutationFn: () => api.post(`/v1/identity/leads/${leadId}/analyse`),
    onSuccess: () => toast('The message is being analysed again'),
    onError: (error) => toastError('The message was not analysed', error),
  });
}

/** Moves a card at once and puts it back where it was when the server refuses. */
export function useMoveLead() {
  const client = useQueryClient();
  const mutation = useMutation({
    mutationKey: ['move-lead'],
    mutationFn: ({ leadId, toStageId, afterLeadId, reason }: MoveRequest) =>
      api.patch<Lead>(`/v1/identity/leads/${leadId}/stage`, { stageId: toStageId, afterLeadId, reason }),
    onMutate: async (move) => {
      await client.cancelQueries({ queryKey: leadKeys.boards });
      const before = client.getQueriesData<Board>({ queryKey: leadKeys.boards });
      onBoards(client, (board) => moveCard(board, move, new Date().toISOString()));
      const detail = client.getQueryData<LeadDetail>(leadKeys.detail(move.leadId));
      if (detail) client.setQueryData(leadKeys.detail(move.leadId), { ...detail, stageId: move.toStageId });
      // The cache tells its readers in a timer of its own, set just before this one.
      if (move.onShown) setTimeout(move.onShown, 0);
      return { before, detail };
    },
    onError: (error, move, context) => {
      for (const [key, board] of context?.before ?? []) client.setQueryData(key, board);
      if (context?.detail) client.setQueryData(leadKeys.detail(move.leadId), context.detail);
      toastError(`${move.name} was not moved`, error);
      announce(`${move.name} was not moved and is back where it was.`);
      void client.invalidateQueries({ queryKey: leadKeys.boards });
    },
    onSuccess: (lead, move) => {
      adopt(client, lead);
      const { from } = move;
      if (!from) return;
      toastUndo(`Moved ${move.name} to ${move.stageName}`, () =>
        mutation.mutate({
          leadId: move.leadId,
          name: move.name,
          toStageId: from.stageId,
          stageName: from.stageName,
          afterLeadId: from.afterLeadId,
          reason: from.reason,
        }),
      );
    },
  });

  /** Moves on a board, with names for the toast and the announcement. */
  const moveOn = (board: Board, move: Move, onShown?: () => void) => {
    const place = findCard(board, move.leadId);
    const target = board.stages.find(({ stage }) => stage.id === move.toStageId);
    if (!place || !target || isIdleMove(board, move)) return;
    const changesStage = place.column !== target;
    mutation.mutate({
      ...move,
      onShown,
      name: place.card.name,
      stageName: target.stage.name,
      from: changesStage
        ? {
            stageId: place.column.stage.id,
            stageName: place.column.stage.name,
            afterLeadId: place.column.cards[place.index - 1]?.id ?? null,
            reason: place.card.closeReason,
          }
        : undefined,
    });
    const moved = moveCard(board, move, new Date().toISOString());
    const to = findCard(moved, move.leadId);
    if (to) {
      announce(
        `${place.card.name} moved to ${target.stage.name}, position ${to.index + 1} of ${moved.stages[to.columnIndex]?.count}.`,
      );
    }
  };
  return { move: mutation.mutate, moveOn };
}

export interface LeadChange {
  name?: string | null;
  email?: string | null;
  phone?: string | null;
  company?: string | null;
  title?: string | null;
  tags?: string[];
  /** Only the keys to change; `null` takes one away. */
  customFields?: Record<string, unknown>;
  quotable?: Lead['quotable'];
  /** An exact decimal; `null` clears it. */
  quoteValue?: string | null;
  salesValue?: string | null;
  closeReason?: string | null;
  /** The fields as they were seen: what somebody else wrote since is not overwritten. */
  seen?: Record<string, unknown>;
}

export function useUpdateLead(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: LeadChange) => api.patch<Lead>(`/v1/identity/leads/${id}`, change),
    onSuccess: (lead) => adopt(client, lead),
  });
}

export function useAssignLead(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (assignedTo: string | null) => api.patch<Lead>(`/v1/identity/leads/${id}/assign`, { assignedTo }),
    onSuccess: (lead) => adopt(client, lead),
    onError: (error) => toastError('The lead was not assigned', error),
  });
}

export function useAddNote(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (value: string) => api.post<LeadDetail>(`/v1/identity/leads/${id}/notes`, { value }),
    onSuccess: () => client.invalidateQueries({ queryKey: leadKeys.detail(id) }),
  });
}

export function useConvertLead(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, platform }: { name: string; platform: string }) =>
      api.post<Lead>(`/v1/identity/leads/${id}/convert`, platform ? { name, platform } : { name }),
    // The button goes at once, so that nobody converts a second time.
    onMutate: async () => {
      await client.cancelQueries({ queryKey: leadKeys.detail(id) });
      const before = client.getQueryData<LeadDetail>(leadKeys.detail(id));
      if (before) client.setQueryData(leadKeys.detail(id), { ...before, convertedAt: new Date().toISOString() });
      return { before };
    },
    onSuccess: (lead) => {
      adopt(client, lead);
      void client.invalidateQueries({ queryKey: ['contacts'] });
      toast(`${lead.name} is a customer now`);
    },
    onError: (error, _named, context) => {
      if (context?.before) client.setQueryData(leadKeys.detail(id), context.before);
      toastError('The lead was not converted', error);
    },
  });
}

function refreshAll(client: QueryClient) {
  void client.invalidateQueries({ queryKey: leadKeys.all });
  void client.invalidateQueries({ queryKey: ['contacts'] });
}

export function useDeleteLead() {
  const client = useQueryClient();
  const restore = useMutation({
    mutationFn: (lead: Card) => api.post<Lead>(`/v1/identity/leads/${lead.id}/restore`),
    onSuccess: () => refreshAll(client),
    onError: (error, lead) => toastError(`${lead.name} was not restored`, error),
  });
  return useMutation({
    mutationFn: (lead: Card) => api.delete(`/v1/identity/leads/${lead.id}`),
    onSuccess: (_answer, lead) => {
      onBoards(client, (board) => removeCards(board, new Set([lead.id])));
      client.removeQueries({ queryKey: leadKeys.detail(lead.id) });
      refreshAll(client);
      toastUndo(`Deleted ${lead.name}`, () => restore.mutate(lead));
    },
    onError: (error, lead) => toastError(`${lead.name} was not deleted`, error),
  });
}

export interface NewLead {
  name: string;
  email?: string;
  phone?: string;
  company?: string;
  title?: string;
  tags?: string[];
  projectId?: string;
  stageId?: string;
  quoteValue?: string;
  message?: string;
}

export function useCreateLead() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (lead: NewLead) => api.post<Lead | SpooledLead>('/v1/identity/leads', lead),
    onSuccess: (lead) => {
      refreshAll(client);
      if ('stored' in lead) toast('The lead is kept, and appears once the database is back');
      else toast(`Added ${lead.name}`);
    },
  });
}

export type BulkAction =
  | { action: 'move_stage'; stageId: string; reason: string | null }
  | { action: 'assign'; assignedTo: string | null }
  | { action: 'tag'; tags: string[] }
  | { action: 'untag'; tags: string[] }
  | { action: 'delete' };

/** Leads that were ticked, or all that match. */
export type BulkTarget = { leadIds: string[] } | { query: Record<string, unknown> };

const BULK_WORDS: Record<BulkAction['action'], string> = {
  move_stage: 'Moved',
  assign: 'Assigned',
  tag: 'Tagged',
  untag: 'Untagged',
  delete: 'Deleted',
};

const BULK = '/v1/identity/leads/bulk-action';

export function useBulkAction() {
  const client = useQueryClient();
  const undo = useUndoJob();
  return useMutation({
    mutationFn: async ({ target, ...action }: BulkAction & { target: BulkTarget }) => {
      if ('query' in target) return { job: await api.post<Job>(BULK, { ...action, ...target }) };
      return { result: await api.post<BulkResult>(BULK, { ...action, ...target }) };
    },
    onSuccess: ({ job, result }, { action }) => {
      if (job) {
        keepJob(client, job);
        announce('It goes on by itself, and is shown at the top.');
        return;
      }
      refreshAll(client);
      void client.invalidateQueries({ queryKey: jobKeys.all });
      const failures = result.failed > 0 ? `; ${plural(result.failed, 'lead')} could not be changed` : '';
      const sentence = `${BULK_WORDS[action]} ${plural(result.succeeded, 'lead')}${failures}`;
      if (result.succeeded > 0) toastUndo(sentence, () => undo.mutate(result.jobId));
      else toast(sentence);
    },
    onError: (error) => toastError('The leads were not changed', error),
  });
}
