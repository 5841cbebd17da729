package credential
import ("testing";"os";"path/filepath";"io/fs";"fmt";"strings";"time")
func TestZZ(t *testing.T){
 roots := os.Getenv("ZZ"); if roots=="" {t.Skip()}
 s:=NewScanner(); var bytes int64; files:=0; var dur time.Duration
 counts:=map[string]int{}
 for _,root := range strings.Fields(roots) {
 filepath.WalkDir(root, func(p string,d fs.DirEntry,err error) error {
  if err!=nil {return nil}
  if !d.Type().IsRegular() {return nil}
  b,err:=os.ReadFile(p); if err!=nil {return nil}
  head:=b[:min(len(b),3072)]
  if Packed(head) {return nil}
  files++; bytes+=int64(len(b))
  name := p; if pre:=os.Getenv("STRIP"); pre!="" { name = strings.TrimPrefix(p,pre) }
  st:=time.Now()
  s.Begin(name,head)
  for at:=0;at<len(b);at+=32768 { s.Write(b[at:min(len(b),at+32768)]) }
  f,_:=s.End(); dur+=time.Since(st)
  for _,m:=range f { counts[m.Kind]++; v:=string(b[m.Offset:int(m.Offset)+m.Length]); if len(v)>60 {v=v[:60]}; fmt.Printf("%s:%d %s %s [%s] %q\n",p,m.Line,m.Severity,m.Kind,m.Name,v) }
  return nil })
 }
 fmt.Println(counts, files, bytes>>20,"MB", dur, float64(bytes)/1e6/dur.Seconds(),"MB/s")
}
