/** How loud a microphone is. Owns: the audio graph of one stream. Never: keeps a sample. */

/** Calls back with the loudest sample of each moment, 0 to 1, until the returned function is called. */
export function measure(stream: MediaStream, heard: (level: number) => void): () => void {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.smoothingTimeConstant = 0;
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Uint8Array(analyser.fftSize);
  let frame = 0;
  const look = () => {
    analyser.getByteTimeDomainData(samples);
    heard(Math.max(...samples.map((sample) => Math.abs(sample - 128))) / 128);
    frame = requestAnimationFrame(look);
  };
  look();
  return () => {
    cancelAnimationFrame(frame);
    void context.close();
  };
}
