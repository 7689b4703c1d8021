import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { api } from '@/api/client';
import type { AssignmentRule, AssignmentRuleChange, AssignmentTrial, Page } from '@/api/shapes';

const RULES = '/v1/admin/assignment-rules';

export const assignmentRulesQuery = queryOptions({
  queryKey: ['settings', 'assignment'],
  queryFn: async ({ signal }) => (await api.get<Page<AssignmentRule>>(RULES, {}, signal)).data,
});

/** What a rule would have done with the leads that came last. */
export const trialQuery = (filter: Record<string, unknown>, ruleId: string | undefined) =>
  queryOptions({
    queryKey: ['settings', 'assignment-trial', JSON.stringify(filter), ruleId],
    queryFn: () => api.post<AssignmentTrial>(`${RULES}/test`, { filter, ruleId: ruleId ?? null }),
    placeholderData: keepPreviousData,
    retry: false,
  });

export function useRuleWrites() {
  const client = useQueryClient();
  const onSuccess = () => client.invalidateQueries({ queryKey: assignmentRulesQuery.queryKey });
  const make = useMutation({
    mutationFn: (rule: AssignmentRuleChange) => api.post<AssignmentRule>(RULES, rule),
    onSuccess,
  });
  const change = useMutation({
    mutationFn: ({ id, ...change }: AssignmentRuleChange & { id: string }) =>
      api.patch<AssignmentRule>(`${RULES}/${id}`, change),
    onSuccess,
  });
  const remove = useMutation({ mutationFn: (id: string) => api.delete(`${RULES}/${id}`), onSuccess });
  return { make, change, remove };
}
