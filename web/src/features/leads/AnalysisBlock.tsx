import { Button, Pill } from '@mantine/core';
import type { Lead } from '@/api/shapes';
import { analysisLabel, fallbackWords } from '@/lib/analysis';
import { humanise } from '@/lib/text';
import { Time } from '@/ui/basics';
import classes from './Lead.module.css';
import { Block } from './LeadParts';
import { useAnalyseLead } from './mutations';

/** What the newest message says, and how that is known. */
export function AnalysisBlock({ lead, why }: { lead: Lead; why?: string }) {
  const analyse = useAnalyseLead(lead.id);
  const analysis = lead.leadAnalysis;
  if (!analysis) return null;
  const facts = [
    { label: 'Wants', judged: analysis.intent },
    { label: 'Topic', judged: analysis.topic },
    { label: 'Mood', judged: analysis.sentiment },
  ];
  return (
    <Block title="What the message says">
      <p className={classes.analysisSummary}>{analysis.summary}</p>
      <dl className={classes.facts}>
        {facts.map(({ label, judged }) => (
          <div key={label} className={classes.factsPair}>
            <dt>{label}</dt>
            <dd title={`Confidence ${judged.confidence} of 100`}>{humanise(judged.label)}</dd>
          </div>
        ))}
        {analysis.keywords.length > 0 && (
          <div className={classes.factsPair}>
            <dt>Keywords</dt>
            <dd>
              {analysis.keywords.map((keyword) => (
                <Pill key={keyword}>{keyword}</Pill>
              ))}
            </dd>
          </div>
        )}
      </dl>
      <div className={classes.small}>
        {analysisLabel(analysis)}, <Time at={analysis.analysedAt} />.{' '}
        {analysis.fallback && fallbackWords(analysis.fallback)}
      </div>
      {!why && (
        <Button ml={-7} variant="subtle" size="compact-xs" loading={analyse.isPending} onClick={() => analyse.mutate()}>
          Analyse again
        </Button>
      )}
    </Block>
  );
}
