use std::time::Instant;
use wowflow::ot::exact::*;
fn load(p:&str,n:usize)->Vec<f32>{ std::fs::read(p).unwrap()[16..16+n*784].iter().map(|&b| f32::from(b)/255.0).collect() }
fn main(){
  let a:Vec<String>=std::env::args().collect();
  let n:usize=a[1].parse().unwrap(); let m:usize=a[2].parse().unwrap();
  let x=load("/tmp/idx/fashion_mnist/train-images-idx3-ubyte",n); let y=load("/tmp/idx/mnist/train-images-idx3-ubyte",m);
  let storage = if a.get(4).is_none() { Storage::Auto } else { Storage::Recomputed };
  let w:Vec<f64>=(0..n).map(|i| 0.1+((i*7919)%1000) as f64/1000.0).collect();
  let v:Vec<f64>=(0..m).map(|i| 0.1+((i*7907)%1000) as f64/1000.0).collect();
  let g = a.get(3).map(|s| s.as_str())==Some("w");
  let (w,v) = if g {(Some(&w[..]),Some(&v[..]))} else {(None,None)};
  for _ in 0..(if n>6000 {1} else {2}) { let t=Instant::now(); let r=Problem::points(&x,&y,784).weights(w,v).storage(storage).solve().unwrap(); println!("new {n} {m} {:.12} gap {:.1e} unique {} steps {} {:?}",r.value,r.gap,r.unique,r.steps,t.elapsed()); }
  if std::env::var("OLD").is_ok() { let t=Instant::now(); let c=squared_euclidean(&x,&y,784).unwrap(); let r=solve_by(Method::NetworkSimplex,&c,w,v).unwrap(); println!("simplex {:.12} steps {} {:?} ",r.value,r.steps,t.elapsed());
   let t=Instant::now(); let r=solve_by(Method::AugmentingPaths,&c,w,v).unwrap(); println!("matrix {:.12} gap {:.1e} unique {} steps {} {:?} ",r.value,r.gap,r.unique,r.steps,t.elapsed()); }
}
